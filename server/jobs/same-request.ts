/** A second request with an idempotency key is answered with what the first one created, if it asks for the same. */
import { isDeepStrictEqual } from "node:util";
import type { Engine } from "#server/engine/contract.ts";
import { aggregateOf, type BatchRecord } from "#shared/batch.ts";
import { AppError } from "#shared/errors.ts";
import type { Job } from "#shared/job.ts";

export interface SameRequest {
  /** True: a request for something else with a key that is taken is refused. Absent: its content is not compared. */
  sameRequest?: boolean | undefined;
}

interface Request extends SameRequest {
  idempotencyKey?: string | undefined;
}
/** Jobs of a batch that are read at a time. Other work of the process comes between. */
const COMPARED_JOBS = 100;

type Compared = Pick<Job, "kind" | "input">;

/** Throws `KEY_REUSED`. */
export function assertSameJob(request: Request, asked: Compared, stored: Compared): void {
  if (isCompared(request) && !isDeepStrictEqual(plain(asked), plain(stored))) throw keyReused();
}

/** Rejects with `KEY_REUSED`. `stored`: the batch of an earlier request. Reads its jobs a few at a time. */
export async function assertSameBatch(
  engine: Pick<Engine, "listJobs" | "getJob">,
  request: Request,
  asked: { name: string | null; jobs: readonly Compared[] },
  stored: BatchRecord,
): Promise<void> {
  if (!isCompared(request)) return;
  const { id: batchId, tenant, owner } = stored;
  if (asked.name !== stored.name || asked.jobs.length !== aggregateOf(stored).total)
    throw keyReused();
  // The newest is the last of the request.
  let left = asked.jobs.length;
  let cursor: string | undefined;
  do {
    const page = await engine.listJobs({ tenant, owner, batchId, cursor, limit: COMPARED_JOBS });
    for (const job of await Promise.all(page.items.map(({ id }) => engine.getJob(id)))) {
      left -= 1;
      const same = asked.jobs[left];
      if (job === undefined || same === undefined) throw keyReused();
      assertSameJob(request, same, job);
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

function isCompared({ sameRequest = false, idempotencyKey }: Request): boolean {
  return sameRequest && idempotencyKey !== undefined;
}

/** As JSON has it. */
function plain({ kind, input }: Compared): unknown {
  return JSON.parse(JSON.stringify({ kind, input }));
}

function keyReused(): AppError {
  return new AppError(
    "KEY_REUSED",
    "This idempotency key belongs to a request with another content. Use a new key for a new request.",
  );
}
