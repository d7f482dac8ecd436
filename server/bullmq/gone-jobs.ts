/**
 * Finds open mirrored jobs whose originals are gone. BullMQ has no events of the jobs that `drain`, `clean` and `obliterate`
 * delete.
 */
import type { Redis } from "ioredis";
import type { MirrorRef } from "#server/engine/contract.ts";
import type { MirrorEngine } from "#server/sources/open.ts";
import type { JobSummary } from "#shared/job.ts";
import { answersOf } from "./answers.ts";
import type { BullmqDetails } from "./bullmq-details.ts";
import { MAX_ID_CHARS } from "./job-details.ts";
import type { QueueKeys } from "./queue-keys.ts";

export interface GoneJobs {
  /**
   * Looks at the next page of open jobs, and returns those whose originals do not exist. Their events may still have to be read: one
   * that does not change until they were is gone.
   */
  look(): Promise<JobSummary[]>;
  /** True after the last page: the next one is the first again. */
  isRound(): boolean;
}

const PAGE = 200;
const OPEN = ["PENDING", "PROCESSING"] as const;

export function createGoneJobs(options: {
  redis: Redis;
  keys: QueueKeys;
  engine: Pick<MirrorEngine, "listJobs">;
  mirror: MirrorRef;
}): GoneJobs {
  const { redis, keys, engine, mirror } = options;
  let status: (typeof OPEN)[number] = "PROCESSING";
  let cursor: string | undefined;
  let round = false;
  return {
    async look() {
      const { tenant, name: kind } = mirror;
      const page = await engine.listJobs({ tenant, kind, status, cursor, limit: PAGE });
      cursor = page.nextCursor ?? undefined;
      if (cursor === undefined) status = status === "PENDING" ? "PROCESSING" : "PENDING";
      round = cursor === undefined && status === "PROCESSING";
      // A longer id was cut, so its key is not known.
      const known = page.items.filter(({ details }) => idOf(details).length < MAX_ID_CHARS);
      const ask = redis.pipeline();
      for (const { details } of known) ask.exists(keys.job(idOf(details)));
      const exist = await answersOf<number>(ask.exec());
      return known.filter((_, index) => exist[index] === 0);
    },
    isRound: () => round,
  };
}

export function idOf(details: unknown): string {
  return (details as BullmqDetails).id;
}
