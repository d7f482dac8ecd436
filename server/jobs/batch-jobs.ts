/** The jobs of a new batch. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { v7 as newId } from "uuid";
import { DEFAULT_PRIORITY } from "#shared/create-options.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import type { ValidRequest } from "./validate-request.ts";

/** An id takes some microseconds of random bits. */
const JOBS_A_TURN = 500;

/** Makes jobs of requests. Other work of the process comes between. `priority`: of all of them. */
export async function jobsOfBatch(
  valid: readonly ValidRequest[],
  same: Omit<NewJob, "id" | "kind" | "title" | "input" | "priority" | "key">,
  priority: number | undefined,
): Promise<NewJob[]> {
  const jobs: NewJob[] = [];
  for (const [index, each] of valid.entries()) {
    if (index % JOBS_A_TURN === JOBS_A_TURN - 1) await nextTurn();
    jobs.push({
      id: newId(),
      ...same,
      ...each,
      priority: priority ?? each.priority ?? DEFAULT_PRIORITY,
    });
  }
  return jobs;
}
