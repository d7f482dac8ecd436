/**
 * Moves jobs and batches to an owner of another tenant, whose keys may lie on another node of a cluster: one job, or a batch
 * with all of its jobs, once all have settled. Then no runner, lease or queue knows them. The steps of a move:
 *
 *   1. `begin-move` marks them in the tenant that they leave: they can be read, and do not change. It notes the move there.
 *   2. They are copied, with the mark, to the new tenant, in none of its lists.
 *   3. The tenant directory names the new tenant.
 *   4. `list-moved` adds them to the lists of the new tenant.
 *   5. `drop-moved` deletes them in the tenant that they leave.
 *   6. The marks in the new tenant go, and then the note.
 *
 * Until step 5 both tenants have the same, so a process that remembers the earlier tenant reads the truth. Each step may run
 * twice, and each moves all jobs before the next begins. So a move that was interrupted anywhere begins again with step 2.
 * Before the old tenant deletes, first the jobs and then the note, a replica of the new one has what it relies on.
 */
import { inGroups } from "./in-groups.ts";
import type { Owner } from "#shared/principal.ts";
import { AppError } from "#shared/errors.ts";
import type { Client } from "./client.ts";
import { type Keys, ownerKey } from "./keys.ts";
import { decodeBatch, decodeSummary, encodeBatch, encodeSummary } from "./records.ts";
import { replicated } from "./replicated.ts";
import type { RunScript } from "./scripts.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

/** A job that is in no batch, or a batch with all of its jobs. */
export interface Movable {
  type: "job" | "batch";
  id: string;
}

export interface Moves {
  /** Step 1. Returns the number of jobs; 0: they have not all settled, or have another owner. */
  begin(what: Movable, from: Owner, to: Owner): Promise<number>;
  /** The moves of an owner that have begun. */
  begun(from: Owner): Promise<{ what: Movable; to: Owner }[]>;
  /** Steps 2 to 6. Returns the number of jobs and batches. */
  finish(what: Movable, from: Owner, to: Owner): Promise<number>;
}

interface MovesOptions {
  redis: Client;
  run: RunScript;
  keys: Keys;
  tenants: Pick<TenantDirectory, "move">;
}

/** Lists show the newest first. In its new tenant a job has a negative position, so it comes after the tenant's own jobs. */
const BEFORE_OWN_JOBS = 2 ** 40;
/** No position is lower. */
export const FIRST_POSITION = -BEFORE_OWN_JOBS;
/** The lists of a job, in the order in which `put-copy.lua` takes their lengths. */
const LISTS = ["log", "draft", "lines"] as const;
type List = (typeof LISTS)[number];
/** Entries of such a list that are copied at once. */
const COPIED_AT_ONCE = 500;

export function createMoves({ redis, run, keys, tenants }: MovesOptions): Moves {
  async function copyList(list: List, jobId: string, from: Owner, to: Owner) {
    const key = `${keys.tenant(from.tenant)}:${list}:${jobId}`;
    for (let count = 0; ;) {
      const part = await redis.lrange(key, count, count + COPIED_AT_ONCE - 1);
      if (part.length > 0) await run("copy-list", keys.tenant(to.tenant), list, jobId, count, part);
      count += part.length;
      if (part.length < COPIED_AT_ONCE) return count;
    }
  }

  async function put({ type, id }: Movable, to: Owner, lengths: number[], fields: Fields) {
    const flat = Object.entries(fields).flat();
    const stored = await run(
      "put-copy",
      keys.tenant(to.tenant),
      type,
      id,
      lengths.map(String),
      flat,
    );
    if (stored === 1) return;
    throw new AppError(
      "UNAVAILABLE",
      `The ${type} ${id} is being moved by another command too. Try again.`,
    );
  }

  /** Returns false if the job does not exist. */
  async function copyJob(id: string, from: Owner, to: Owner): Promise<boolean> {
    if ((await redis.exists(keys.job(to.tenant, id))) === 1) return true;
    const fields = await redis.hgetall(keys.job(from.tenant, id));
    if (fields.s === undefined) return false;
    const lengths: number[] = [];
    for (const list of LISTS) lengths.push(await copyList(list, id, from, to));
    const s = encodeSummary({ ...decodeSummary(fields.s), ...to });
    await put({ type: "job", id }, to, lengths, { ...fields, s, n: positionOf(fields) });
    return true;
  }

  async function copyBatch(id: string, from: Owner, to: Owner): Promise<boolean> {
    if ((await redis.exists(keys.batch(to.tenant, id))) === 1) return true;
    const [fields, n] = await Promise.all([
      redis.hgetall(keys.batch(from.tenant, id)),
      redis.zscore(`${keys.tenant(from.tenant)}:batches`, id),
    ]);
    const batch = decodeBatch(fields);
    if (batch === undefined || n === null) return false;
    const b = encodeBatch({ ...batch, ...to }, batch.createdAt);
    await put(
      { type: "batch", id },
      to,
      LISTS.map(() => 0),
      { ...fields, b, n: positionOf({ n }) },
    );
    return true;
  }

  /** An interrupted move may have dropped some, but only once the new tenant listed all. */
  async function jobsOf({ type, id }: Movable, from: Owner, to: Owner): Promise<string[]> {
    if (type === "job") return [id];
    const lists = [to, from].map(({ tenant }) => `${keys.tenant(tenant)}:jobs-of:${id}`);
    const found = await Promise.all(lists.map((list) => redis.zrange(list, "0", "-1")));
    return [...new Set(found.flat())];
  }

  return {
    begin: ({ type, id }, from, to) =>
      run<number>(
        "begin-move",
        keys.tenant(from.tenant),
        type,
        id,
        ownerKey(from),
        encodeOwner(to),
      ),
    async begun(from) {
      const noted = await redis.hgetall(movesOf(keys, from));
      return Object.entries(noted).map(([name, to]) => ({
        what: decodeMovable(name),
        to: decodeOwner(to),
      }));
    },
    async finish(what, from, to) {
      const { type, id } = what;
      const batchId = type === "batch" ? id : "";
      const [left, entered] = [keys.tenant(from.tenant), keys.tenant(to.tenant)];
      await redis.sadd(keys.tenants, to.tenant);

      const asked = await jobsOf(what, from, to);
      const copied = await inGroups(asked, (jobId) => copyJob(jobId, from, to));
      const jobs = asked.filter((_, index) => copied[index]);
      const batches = batchId !== "" && (await copyBatch(batchId, from, to)) ? [batchId] : [];

      await tenants.move([...batches, ...jobs], from.tenant, to.tenant);

      await inGroups(jobs, (jobId) =>
        run("list-moved", entered, "job", jobId, ownerKey(to), batchId),
      );
      for (const each of batches) await run("list-moved", entered, "batch", each, ownerKey(to), "");

      await replicated(redis);
      await inGroups(jobs, (jobId) => run("drop-moved", left, jobId, ownerKey(from), batchId));

      await inGroups(jobs, (jobId) => redis.hdel(keys.job(to.tenant, jobId), "moving"));
      for (const each of batches) await redis.hdel(keys.batch(to.tenant, each), "moving");
      await replicated(redis);
      await redis.hdel(movesOf(keys, from), `${type}:${id}`);
      return jobs.length + batches.length;
    },
  };
}

type Fields = Record<string, string>;

function positionOf({ n }: Fields): string {
  return `${Number(n) - BEFORE_OWN_JOBS}`;
}

/** The hash of an owner's moves that have begun: `job:<id>` or `batch:<id>`, and the new owner. `begin-move.lua` writes it. */
function movesOf(keys: Keys, from: Owner): string {
  return `${keys.owner(from)}:moving`;
}

function decodeMovable(name: string): Movable {
  const [type, id = ""] = name.split(":");
  return { type: type === "batch" ? "batch" : "job", id };
}

function encodeOwner({ tenant, owner }: Owner): string {
  return JSON.stringify([tenant, owner]);
}

function decodeOwner(text: string): Owner {
  const [tenant = "", owner = ""] = JSON.parse(text) as string[];
  return { tenant, owner };
}
