/**
 * Gives jobs and batches to an owner of another tenant, move by move (`moves.ts`). A batch and its jobs go together, once all
 * have settled, so that its counts remain true.
 */
import { type Assigned, NONE_UNSETTLED, type Unsettled } from "#server/engine/assignment.ts";
import { isSettled, JOB_STATUSES, SETTLED } from "#shared/job.ts";
import type { Owner } from "#shared/principal.ts";
import type { Client } from "./client.ts";
import { GROUP, inGroups } from "./in-groups.ts";
import type { Keys } from "./keys.ts";
import type { Movable, Moves } from "./moves.ts";
import { decodeSummary } from "./records.ts";

interface AssignOptions {
  redis: Client;
  keys: Keys;
  moves: Moves;
}

/** The number of unsettled jobs that an answer names. */
const NAMED = 5;
const UNSETTLED = JOB_STATUSES.filter((status) => !isSettled(status));

/** The returned function moves `limit` jobs, or fewer than a batch more. */
export function createAssignAcrossTenants({
  redis,
  keys,
  moves,
}: AssignOptions): (from: Owner, to: Owner, limit: number) => Promise<Assigned> {
  async function* membersOf(list: string): AsyncGenerator<string[]> {
    for (let at = 0; ; at += GROUP) {
      const members = await redis.zrange(list, `${at}`, `${at + GROUP - 1}`);
      if (members.length === 0) return;
      yield members;
    }
  }

  /** A batch may have thousands of jobs, so each is a group of its own. */
  async function* movable(from: Owner): AsyncGenerator<Movable[]> {
    const owner = keys.owner(from);
    for await (const ids of membersOf(`${owner}:batches`)) {
      for (const id of ids) yield [{ type: "batch", id }];
    }
    for (const kind of await redis.smembers(`${owner}:kinds`)) {
      for (const status of SETTLED) {
        for await (const ids of membersOf(`${owner}:jobs:${kind}:${status}`)) {
          const alone = await Promise.all(ids.map((id) => isInNoBatch(from.tenant, id)));
          yield ids.filter((_, index) => alone[index]).map((id) => ({ type: "job", id }));
        }
      }
    }
  }

  async function isInNoBatch(tenant: string, jobId: string): Promise<boolean> {
    const record = await redis.hget(keys.job(tenant, jobId), "s");
    return record !== null && decodeSummary(record).batchId === null;
  }

  async function begin(from: Owner, to: Owner, limit: number): Promise<void> {
    let jobs = 0;
    for await (const group of movable(from)) {
      for (const begun of await inGroups(group, (what) => moves.begin(what, from, to)))
        jobs += begun;
      if (jobs >= limit) return;
    }
  }

  async function unsettledOf(from: Owner): Promise<Unsettled> {
    const owner = keys.owner(from);
    const count = await redis.zcard(`${owner}:feed`);
    const some: string[] = [];
    for (const kind of await redis.smembers(`${owner}:kinds`)) {
      for (const status of UNSETTLED) {
        some.push(...(await redis.zrange(`${owner}:jobs:${kind}:${status}`, "0", `${NAMED - 1}`)));
      }
    }
    return { count, some: some.slice(0, NAMED) };
  }

  return async (from, to, limit) => {
    // Those of an interrupted call come first.
    if ((await moves.begun(from)).length === 0) await begin(from, to, limit);
    const begun = (await moves.begun(from)).map(({ what }) => what);
    const finish = (what: Movable) => moves.finish(what, from, to);
    const alone = begun.filter(({ type }) => type === "job");
    const batches = begun.filter(({ type }) => type === "batch");
    let moved = (await inGroups(alone, finish)).reduce((sum, count) => sum + count, 0);
    for (const batch of batches) moved += await finish(batch);
    return { moved, unsettled: moved === 0 ? await unsettledOf(from) : NONE_UNSETTLED };
  };
}
