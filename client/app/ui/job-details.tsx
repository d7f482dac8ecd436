/** The state that a job's kind reports beside percent and message. */
import { Card } from "./card.tsx";
import { DataView } from "./data-view.tsx";

export function JobDetails({ details }: { details: unknown }) {
  if (details === undefined) return null;
  return (
    <Card title="Details">
      <div
        role="group"
        aria-label="Details of the job"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
        tabIndex={0}
        className="max-h-80 overflow-y-auto text-sm"
      >
        <DataView value={details} />
      </div>
    </Card>
  );
}
