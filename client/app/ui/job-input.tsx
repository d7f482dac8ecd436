/** A job's input, and a link to the form with the same input. */
import type { KindView } from "#client/app/kind-parts.ts";
import { partsOf } from "#client/app/kinds.ts";
import { useReadOnly } from "#client/app/read-only.ts";
import { useKinds } from "#client/app/use-kinds.ts";
import { isSettled, type Job } from "#shared/job.ts";
import { ButtonLink } from "./button.tsx";
import { Card } from "./card.tsx";
import { DataView, Rows } from "./data-view.tsx";

export function JobInput({ job, view }: { job: Job; view: KindView }) {
  const readOnly = useReadOnly();
  if (job.input == null) return null;
  const rows = view.inputRows?.(job.input);
  return (
    <Card
      title="Input"
      actions={
        isSettled(job.status) &&
        !readOnly && (
          <NewJobLink job={job} view={view}>
            New job with this input
          </NewJobLink>
        )
      }
    >
      <div
        role="group"
        aria-label="Input of the job"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
        tabIndex={0}
        className="max-h-80 overflow-y-auto text-sm"
      >
        {rows === undefined ? <DataView value={job.input} /> : <Rows rows={rows} />}
      </div>
    </Card>
  );
}

/** Link to the filled-in form. Absent where the server has the kind no more. */
export function NewJobLink(props: { job: Job; view: KindView; children: string }) {
  const { job, view } = props;
  const info = useKinds().kinds?.find(({ name }) => name === job.kind);
  if (info === undefined) return null;
  const query = partsOf(info) === undefined ? undefined : view.queryOf?.(job.input);
  return (
    <ButtonLink href={`/jobs/new/${job.kind}?${query ?? `from=${job.id}`}`}>
      {props.children}
    </ButtonLink>
  );
}
