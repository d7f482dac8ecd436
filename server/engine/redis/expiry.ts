/**
 * Ends the jobs of a tenant that have expired, and finishes large batches that another process left. Several processes may do so
 * at once: each job is ended by one change.
 */
import type { JobEvent } from "#shared/events.ts";
import { AppError } from "#shared/errors.ts";
import type { JobSummary } from "#shared/job.ts";
import type { Change } from "./change.ts";
import type { Keys } from "./keys.ts";
import { decodeSummary } from "./records.ts";
import type { RunScript } from "./scripts.ts";
import type { StagedBatches } from "./staged-batches.ts";

export interface Expiry {
  endAll(tenant: string): Promise<void>;
  /** Ends a job that was just read. `lateMs`: since its expiry. */
  end(job: JobSummary, lateMs: number): Promise<void>;
}

interface ExpiryOptions {
  run: RunScript;
  keys: Keys;
  change: Pick<Change, "byId">;
  staged: Pick<StagedBatches, "finish">;
  onExpired: (event: JobEvent) => void;
}

type Found = [
  jobs: [id: string, record: string, lateMs: string][],
  count: number,
  batches: string[],
];

/** Jobs that are ended together: a few scripts, and some milliseconds of the process. Others wait no longer for either. */
const AT_ONCE = 100;

export function createExpiry({ run, keys, change, staged, onExpired }: ExpiryOptions): Expiry {
  async function end({ id, expiresAt }: JobSummary, lateMs: number): Promise<void> {
    if (expiresAt === null) return;
    const at = new Date(expiresAt.getTime() + lateMs);
    try {
      onExpired((await change.byId(id, { action: "expire", expiresAt }, at)).event);
    } catch (error) {
      // It was started, cancelled or put off meanwhile, or another process ended it.
      if (!(error instanceof AppError && GONE.has(error.code))) throw error;
    }
  }

  return {
    end,
    async endAll(tenant) {
      for (;;) {
        const answer = await run<Found>("list-expired", keys.tenant(tenant), AT_ONCE);
        const [found, count, batches] = answer;
        if (count === 0) await run("note-expiring", keys.expiring, tenant, "forget");
        await Promise.all(
          found.map(([, record, lateMs]) => end(decodeSummary(record), Number(lateMs))),
        );
        for (const batchId of batches) await staged.finish(tenant, batchId);
        if (found.length < AT_ONCE) return;
      }
    },
  };
}

const GONE: ReadonlySet<string> = new Set(["ILLEGAL_TRANSITION", "NOT_FOUND"]);

interface EndingOptions {
  /** The interval of `sweep.ts`; this one is no longer than `LONGEST_MS`. */
  everyMs: number;
  /** True for the one process that may do it now, and for so long. */
  isTurn: (ms: number) => Promise<boolean>;
  /** Those that may have jobs that expire. */
  tenants: () => Promise<string[]>;
  endAll: Expiry["endAll"];
  use: <T>(what: () => Promise<T>) => Promise<T>;
}

const LONGEST_MS = 2000;
/** Tenants at once: each may have many, and other calls use the same client. */
const TENANTS_AT_ONCE = 5;

/** Regularly ends jobs that expired, in each process in turn. A tenant costs the same however many jobs it has. */
export function startEndingExpired({ everyMs, isTurn, tenants, endAll, use }: EndingOptions): {
  stop: () => void;
} {
  const ms = Math.min(everyMs, LONGEST_MS);
  let ending: Promise<void> | undefined;

  async function end(): Promise<void> {
    if (!(await isTurn(ms))) return;
    const all = await tenants();
    for (let at = 0; at < all.length; at += TENANTS_AT_ONCE) {
      await Promise.allSettled(all.slice(at, at + TENANTS_AT_ONCE).map(endAll));
    }
  }

  const timer = setInterval(() => {
    // The next interval tries again.
    ending ??= use(end)
      .catch(() => undefined)
      .finally(() => (ending = undefined));
  }, ms).unref();
  return { stop: () => clearInterval(timer) };
}
