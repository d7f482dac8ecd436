/** A second request with an idempotency key is answered with what the first one created, if it asks for the same. */
import { isDeepStrictEqual } from "node:util";
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
type Compared = Pick<Job, "kind" | "input">;

/** Throws `KEY_REUSED`. */
export function assertSameJob(request: Request, asked: Compared, stored: Compared): void {
  if (isCompared(request) && !isDeepStrictEqual(plain(asked), plain(stored))) throw keyReused();
}

/** Throws `KEY_REUSED`. The inputs of a batch, which are many, are not read again. */
export function assertSameBatch(
  request: Request,
  asked: { name: string | null; jobs: number },
  stored: BatchRecord,
): void {
  if (!isCompared(request)) return;
  if (asked.name !== stored.name || asked.jobs !== aggregateOf(stored).total) throw keyReused();
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
