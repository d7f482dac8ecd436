/** Passes decisions about mirrored jobs on to the systems that run them, where a source was told how. */
import type { Audit } from "#server/auth/audit.ts";
import type { Engine } from "#server/engine/contract.ts";
import type { Decision, Jobs } from "#server/jobs/jobs.ts";
import { changer, visible } from "#server/jobs/visible.ts";
import { auditActorOf } from "#shared/audit.ts";
import type { Clock } from "#shared/clock.ts";
import { AppError } from "#shared/errors.ts";
import type { JobSummary } from "#shared/job.ts";
import { LIFECYCLE } from "#shared/lifecycle.ts";
import { mayRead } from "#shared/principal.ts";
import type { OpenableSource } from "./open.ts";

/** Rejects with `AppError`: `ILLEGAL_TRANSITION` where the other system does not allow it, `UNAVAILABLE` where it does not answer. */
export interface Control {
  cancel(job: JobSummary): Promise<void>;
  retry(job: JobSummary): Promise<void>;
}

/** How long an answer waits for what the mirror sees of the decision. */
const SEEN_MS = 5000;

interface ControlOptions {
  engine: Pick<Engine, "getSummary" | "getJob" | "onAppend">;
  sources: readonly OpenableSource[];
  record: Audit["record"];
  clock: Pick<Clock, "after">;
}

/** Decisions of callers, of which those about jobs with a control go there. All others stay as they are. */
export function withControl(
  decide: Jobs["decide"],
  { engine, sources, record, clock }: ControlOptions,
): Jobs["decide"] {
  const controls = new Map(sources.flatMap(({ controls: own }) => [...(own ?? [])]));
  if (controls.size === 0) return decide;

  /** Resolves once the job has changed since it was read, or after a while. `run` is called in between. */
  async function untilSeen({ id, version }: JobSummary, run: () => Promise<void>): Promise<void> {
    const seen = Promise.withResolvers<void>();
    const look = async () => {
      const now = await engine.getSummary(id);
      if (now === undefined || now.version > version) seen.resolve();
    };
    const end = await engine.onAppend(
      { stream: "job", jobId: id },
      () => void look().catch(() => {}),
    );
    const stop = clock.after(SEEN_MS, seen.resolve);
    try {
      await run();
      await look();
      await seen.promise;
    } finally {
      stop();
      end();
    }
  }

  return async (principal, jobId, decision, note) => {
    const summary = await engine.getSummary(jobId);
    const control = summary && controls.get(summary.kind);
    if (control === undefined) return decide(principal, jobId, decision, note);
    const may = changer(principal);
    const job = visible(summary, jobId, may);
    const command = commandOf(control, decision);
    // Refuses it, as for a job without a control.
    if (command === undefined || LIFECYCLE[job.status][decision] === null) {
      return decide(principal, jobId, decision, note);
    }
    await untilSeen(job, () => command(job));
    const actor = auditActorOf(principal);
    await record(job.tenant, { action: `job.${decision}`, target: jobId, actor });
    const now = await engine.getJob(jobId);
    if (now === undefined) throw new AppError("NOT_FOUND", `Job ${jobId} does not exist.`);
    const { details: _details, ...rest } = now;
    return mayRead(principal, "job", now) ? now : { ...rest, input: null, output: null };
  };
}

function commandOf(control: Control, decision: Decision): Control["cancel"] | undefined {
  if (decision === "cancel") return control.cancel;
  return decision === "retry" ? control.retry : undefined;
}
