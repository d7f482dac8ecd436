/** A worker in a list: who it is, what it runs, and whether it starts more. */
import { CircleDashed, CircleOff, CirclePause, CirclePlay, CirclePower } from "lucide-react";
import { Link } from "wouter";
import { useMe } from "#client/app/use-me.ts";
import type { Worker, WorkerJob, WorkerState } from "#shared/worker.ts";
import { Badge, type Look } from "./badge.tsx";
import { Breakable } from "./breakable.tsx";
import { Button } from "./button.tsx";
import { ProgressBar } from "./progress-bar.tsx";
import { Age } from "./time.tsx";

export type WorkerAction = "drain" | "resume";

const LOOKS = {
  running: { word: "Running", Icon: CirclePlay, className: "bg-good-soft text-good" },
  paused: { word: "Paused", Icon: CirclePause, className: "bg-warn-soft text-warn" },
  draining: { word: "Draining", Icon: CircleDashed, className: "bg-accent-soft text-accent" },
  drained: { word: "Drained", Icon: CircleOff, className: "bg-sunken text-muted" },
  stopping: { word: "Stopping", Icon: CirclePower, className: "bg-sunken text-muted" },
} as const satisfies Record<WorkerState, Omit<Look, "bar">>;

export function WorkerRow(props: {
  worker: Worker;
  busy: boolean;
  onAct: (action: WorkerAction) => void;
}) {
  const { worker, busy, onAct } = props;
  const { name, host, pid, version, state, running, slots, startedAt, jobs } = worker;
  const hidden = running - jobs.length;
  const isDraining = state === "draining" || state === "drained";
  return (
    <li
      aria-label={name}
      className="grid gap-x-4 gap-y-3 rounded-xl border border-line bg-card px-4 py-3 sm:grid-cols-[1fr_auto]"
    >
      <div className="min-w-0 space-y-2">
        <h2 className="flex flex-wrap items-center gap-2 font-medium">
          <span className="min-w-0 wrap-anywhere">
            <Breakable text={name} />
          </span>
          <Badge status={state} look={{ ...LOOKS[state], bar: "" }} />
        </h2>
        <p className="text-sm text-muted wrap-anywhere">
          {host} · process {pid} · version {version} · started <Age at={startedAt} />
        </p>
        <p className="text-sm text-muted wrap-anywhere">{kindsOf(worker)}</p>
        <div className="flex max-w-md items-center gap-3">
          <ProgressBar
            percent={slots === 0 ? 0 : Math.min(100, Math.round((100 * running) / slots))}
            label={`Jobs of ${name}`}
            bar="bg-accent"
            thin
          />
          <span className="text-sm whitespace-nowrap tabular-nums">
            {running} of {slots} jobs
          </span>
        </div>
        {jobs.length > 0 && (
          <details>
            <summary className="cursor-pointer text-sm text-accent">What it runs</summary>
            <ul className="mt-2 divide-y divide-line text-sm">
              {jobs.map((job) => (
                <JobLine key={`${job.id} ${job.since.getTime()}`} job={job} />
              ))}
            </ul>
            {hidden > 0 && (
              <p className="mt-1 text-sm text-muted">And {hidden} that began later.</p>
            )}
          </details>
        )}
      </div>
      {state !== "stopping" && (
        <div className="flex items-start" role="group" aria-label={`Actions of ${name}`}>
          <Button disabled={busy} onClick={() => onAct(isDraining ? "resume" : "drain")}>
            {isDraining ? "Resume" : "Drain"}
          </Button>
        </div>
      )}
    </li>
  );
}

/** Operators read no jobs of other tenants. */
function JobLine({ job }: { job: WorkerJob }) {
  const { caller, has } = useMe();
  const { id, kind, tenant, attempt, since } = job;
  const mayOpen = has("jobs:read") && caller?.tenantId === tenant;
  return (
    <li className="flex flex-wrap gap-x-3 gap-y-0.5 py-1 wrap-anywhere">
      {mayOpen ? (
        <Link href={`/jobs/${id}`} className="font-mono text-accent underline">
          {id}
        </Link>
      ) : (
        <span className="font-mono">{id}</span>
      )}
      <span className="text-muted">
        {kind} · {tenant} · attempt {attempt} · <Age at={since} />
      </span>
    </li>
  );
}

function kindsOf({ kinds, kindCount }: Worker): string {
  const hidden = kindCount - kinds.length;
  if (kindCount === 0) return "No kinds";
  return `Kinds: ${kinds.join(", ")}${hidden > 0 ? ` and ${hidden} more` : ""}`;
}
