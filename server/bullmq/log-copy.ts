/** Copies the log lines of jobs. BullMQ has no events of them, so they are read again and again while a job runs. */
import type { Redis } from "ioredis";
import type { MirrorEngine } from "#server/sources/open.ts";
import { cutText } from "#shared/cut-text.ts";
import { MAX_LINE_CHARS, MAX_LOG_LINES } from "#shared/limits.ts";
import type { NewLogLine } from "#shared/log-line.ts";
import { answersOf } from "./answers.ts";
import type { QueueKeys } from "./queue-keys.ts";

export interface LinesOf {
  /** In BullMQ. */
  id: string;
  jobId: string;
  /** How many lines BullMQ keeps of it, if not all. */
  keepLogs: number | undefined;
}

/** Lines of one commit: they may be long. */
const AT_ONCE = 250;
/** Lines of one job in one call, so that others have their turn, and of one that ends. */
const MOST = { some: 4 * AT_ONCE, all: 400 * AT_ONCE } as const;

interface LogCopyOptions {
  redis: Redis;
  keys: QueueKeys;
  engine: Pick<MirrorEngine, "readLines" | "mirrors">;
  now: () => Date;
}

/** Returns what copies the new lines of these jobs, or as many as one call takes of each. */
export function createLogCopy({
  redis,
  keys,
  engine,
  now,
}: LogCopyOptions): (jobs: readonly LinesOf[], how?: keyof typeof MOST) => Promise<void> {
  async function copy(
    { id, jobId, keepLogs }: LinesOf,
    length: number,
    most: number,
  ): Promise<void> {
    const own = await engine.readLines(jobId, Number.MAX_SAFE_INTEGER, 1);
    if (own === undefined) return;
    const { head } = own;
    if (keepLogs !== undefined || length < head) return copyNewest(id, jobId, { head, length });
    const end = Math.min(length, head + most);
    let after = head;
    while (after < end) {
      const lines = await redis.lrange(keys.logs(id), after, Math.min(after + AT_ONCE, end) - 1);
      if (lines.length === 0) return;
      const newest = await engine.mirrors.appendLines(jobId, after, lines.map(lineOf));
      // Another process copies them too.
      if (newest !== after + lines.length) return;
      after = newest;
    }
  }

  /** BullMQ deleted the oldest lines, so numbers do not say which ones are new: those after the longest part that both have. */
  async function copyNewest(
    id: string,
    jobId: string,
    { head, length }: { head: number; length: number },
  ): Promise<void> {
    const most = Math.min(length, MAX_LOG_LINES);
    const theirs = (await redis.lrange(keys.logs(id), -most, -1)).map(lineOf);
    const from = Math.max(0, head - theirs.length);
    const ours = (await engine.readLines(jobId, from, theirs.length))?.lines ?? [];
    const known = overlap(
      ours.map(({ message }) => message),
      theirs.map(({ message }) => message),
    );
    const fresh = theirs.slice(known);
    if (fresh.length > 0) await engine.mirrors.appendLines(jobId, head, fresh);
  }

  function lineOf(text: string): NewLogLine {
    return { at: now(), level: "info", message: cutText(text, MAX_LINE_CHARS) };
  }

  return async (jobs, how = "some") => {
    const measure = redis.pipeline();
    for (const { id } of jobs) measure.llen(keys.logs(id));
    const lengths = await answersOf<number>(measure.exec());
    for (const [index, job] of jobs.entries()) {
      const length = lengths[index] ?? 0;
      if (length > 0) await copy(job, length, MOST[how]);
    }
  };
}

/** How many of the first of `theirs` are the last of `ours`. */
export function overlap(ours: readonly string[], theirs: readonly string[]): number {
  for (let count = Math.min(ours.length, theirs.length); count > 0; count -= 1) {
    const isSame = ours.slice(-count).every((line, index) => line === theirs[index]);
    if (isSame) return count;
  }
  return 0;
}
