/** Runs one job of a kind without a server, on a real embedded engine: with the checks and limits of production. */
import { applyDraft } from "#shared/events.ts";
import type { JobEventOf, JobOf } from "#shared/api.ts";
import type { KindTypes } from "#shared/kind-types.ts";
import { MAX_LOG_LINES } from "#shared/limits.ts";
import type { LogLine } from "#shared/log-line.ts";
import type { Principal } from "#shared/principal.ts";
import { createJobwireBy, type Jobwire } from "#server/jobwire.ts";
import type { AnyKind, Kind } from "#server/kinds/define.ts";
import { createTestClock } from "./test-clock.ts";
import { newTestData } from "./test-data.ts";

export interface RunKindOptions {
  /** Attempts that a `Transient` failure may use up, at once instead of after a backoff. Default: 1. */
  maxAttempts?: number | undefined;
  /** Cancels the job when it aborts. */
  signal?: AbortSignal | undefined;
}

export interface KindRun<Types extends KindTypes> {
  /** The job as it ended: its `status`, `message`, `output` and `error`. */
  job: JobOf<Types>;
  /** Its whole log. */
  events: JobEventOf<Types>[];
  /** The draft of the last attempt. */
  draft: string;
  /** The lines that it logged, of all attempts. */
  logs: LogLine[];
}

const PRINCIPAL: Principal = { userId: "test", tenantId: "test", scopes: ["*"] };

/**
 * Resolves when the job has settled, however it ended. Rejects with `BAD_REQUEST` for an input that does not fit, and with a
 * `TypeError` for a kind without `run`.
 */
export async function runKind<Name extends string, Types extends KindTypes>(
  kind: Kind<Name, Types>,
  input: Types["input"],
  { maxAttempts = 1, signal }: RunKindOptions = {},
): Promise<KindRun<Types>> {
  if (kind.remote) {
    throw new TypeError(
      `The kind "${kind.name}" has no \`run\`: workers of other programs run it.`,
    );
  }
  const data = await newTestData({ MAX_ATTEMPTS: String(maxAttempts), SHUTDOWN_GRACE_MS: "0" });
  const clock = createTestClock();
  const { jobs, close }: Pick<Jobwire, "jobs" | "close"> = createJobwireBy<readonly AnyKind[]>(
    clock,
    { kinds: [kind], env: data.env },
  );
  try {
    const { id } = await jobs.create(PRINCIPAL, { kind: kind.name, input });
    const cancel = () => void jobs.cancel(PRINCIPAL, id).catch(() => undefined);
    if (signal?.aborted === true) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    const events: JobEventOf<Types>[] = [];
    for await (const event of jobs.watch(PRINCIPAL, id, { lastEventId: "0" })) {
      events.push(event);
      // It waits for its next attempt.
      if (event.type === "retrying") await clock.advanceToNext();
    }
    signal?.removeEventListener("abort", cancel);
    let draft = "";
    for await (const frame of jobs.watchOutput(PRINCIPAL, id, { lastEventId: "0" })) {
      draft = applyDraft(draft, frame);
    }
    const { items: logs } = await jobs.logs(PRINCIPAL, { jobId: id, limit: MAX_LOG_LINES });
    return { job: await jobs.get(PRINCIPAL, id), events, draft, logs };
  } finally {
    await close();
    await data.remove();
  }
}
