/**
 * Maps the ids of jobs and batches to tenants: callers know only ids, but keys begin with the tenant. An entry is written
 * before its job or batch. It changes when they go to another tenant (`relocate.ts`). Other processes remember the earlier
 * tenant, find nothing there, and then read the entry again.
 */
import type { Client } from "./client.ts";
import { LRUCache } from "lru-cache";
import { notify } from "#server/engine/notify.ts";
import { AppError } from "#shared/errors.ts";
import { asAppError } from "./errors.ts";
import type { Keys } from "./keys.ts";
import type { RunScript } from "./scripts.ts";

export interface TenantDirectory {
  /** Returns `undefined` if the job or batch does not exist. It may be the tenant before a move: see `find`. */
  of(id: string): Promise<string | undefined>;
  /**
   * Returns what `ask` finds in the tenant of a job or batch. `ask` returns `undefined` where it is not there, and is then
   * called for the tenant to which it moved, if any.
   */
  find<T>(id: string, ask: (tenant: string) => Promise<T | undefined>): Promise<T | undefined>;
  /** Reads an entry anew. Returns the tenant unless it is `from`. */
  movedFrom(id: string, from: string): Promise<string | undefined>;
  /** Call it before jobs or batches are created. Returns an id that already belongs to another tenant, if any. */
  note(tenant: string, ids: readonly string[]): Promise<string | undefined>;
  /**
   * Restores an entry from the job itself. The directory may have lost it, because nodes of a cluster fail over separately.
   */
  learn(id: string, tenant: string): void;
  /** Deletes the entries that name this tenant. */
  forget(tenant: string, ids: readonly string[]): Promise<void>;
  /** Changes the entries that name `from`, or are missing. */
  move(ids: readonly string[], from: string, to: string): Promise<void>;
  /** Calls `listener` when this process reads that the job or batch is in another tenant than it remembered, if any. */
  onMove(id: string, listener: (tenant: string) => void): () => void;
  /**
   * Calls `ask` for every tenant that ever had a job, and joins the answers: at most about `limit`. Skips a tenant whose
   * cluster node is down; rejects if no tenant answers.
   */
  ofAll<T>(ask: (tenant: string) => Promise<readonly T[]>, limit?: number): Promise<T[]>;
}

const REMEMBERED = 100_000;
/** The length of a UUID. Other keys under the prefix have shorter suffixes. */
const SHORTEST_ID = 36;
/** Bounds concurrent reads of tenants: each may be large, and other calls use the same client. */
const CONCURRENT_READS = 5;
/** Bounds the time for which one script keeps Redis: a batch has many jobs. */
const IDS_PER_SCRIPT = 500;
/** Rounds without any answer after which `ofAll` gives up. */
const GIVE_UP = 2;

export function createTenantDirectory(redis: Client, run: RunScript, keys: Keys): TenantDirectory {
  // With `max`, lru-cache would allocate all places at once, which takes 16 ms.
  const known = new LRUCache<string, string>({ maxSize: REMEMBERED, sizeCalculation: () => 1 });
  const listeners = new Map<string, Set<(tenant: string) => void>>();

  function remember(id: string, tenant: string): void {
    if (known.get(id) === tenant) return;
    known.set(id, tenant);
    const here = listeners.get(id);
    if (here) notify(here, tenant);
  }

  async function read(id: string): Promise<string | undefined> {
    const found = (await redis.hget(keys.tenantOf(id), id)) ?? undefined;
    if (found === undefined) known.delete(id);
    else remember(id, found);
    return found;
  }

  async function of(id: string): Promise<string | undefined> {
    // Clients can request any text, and some keys under the prefix are not hashes.
    if (id.length < SHORTEST_ID) return undefined;
    return known.get(id) ?? read(id);
  }

  async function movedFrom(id: string, from: string): Promise<string | undefined> {
    const tenant = await read(id);
    return tenant === from ? undefined : tenant;
  }

  return {
    of,
    async find<T>(id: string, ask: (tenant: string) => Promise<T | undefined>) {
      const tenant = await of(id);
      if (tenant === undefined) return undefined;
      const found = await ask(tenant);
      if (found !== undefined) return found;
      const next = await movedFrom(id, tenant);
      return next === undefined ? undefined : ask(next);
    },
    movedFrom,
    async note(tenant, ids) {
      // Written every time: a Redis that lost its newest writes has lost a new tenant too.
      const [taken] = await Promise.all([
        run<string | null>("note-tenant", keys.directory, tenant, ids),
        redis.sadd(keys.tenants, tenant),
      ]);
      if (taken !== null) return taken;
      for (const id of ids) known.set(id, tenant);
      return undefined;
    },
    learn(id, tenant) {
      if (known.get(id) === tenant) return;
      remember(id, tenant);
      redis.hsetnx(keys.tenantOf(id), id, tenant).catch(() => undefined);
    },
    async forget(tenant, ids) {
      for (const id of ids) known.delete(id);
      await run("forget-tenant", keys.directory, tenant, ids);
    },
    async move(ids, from, to) {
      for (let at = 0; at < ids.length; at += IDS_PER_SCRIPT) {
        const some = ids.slice(at, at + IDS_PER_SCRIPT);
        await run("move-tenant", keys.directory, from, to, some);
      }
      for (const id of ids) remember(id, to);
    },
    onMove(id, listener) {
      const here = listeners.get(id) ?? new Set();
      listeners.set(id, here);
      // A separate function for each call, as in `hints.ts`.
      const registered = (tenant: string): void => listener(tenant);
      here.add(registered);
      return () => {
        here.delete(registered);
        if (here.size === 0 && listeners.get(id) === here) listeners.delete(id);
      };
    },
    async ofAll<T>(ask: (tenant: string) => Promise<readonly T[]>, limit = Infinity) {
      const all = await redis.smembers(keys.tenants);
      const answers: T[] = [];
      let failure: PromiseRejectedResult | undefined;
      let answered = 0;
      let vain = 0;
      for (
        let at = 0;
        at < all.length && answers.length < limit && vain < GIVE_UP;
        at += CONCURRENT_READS
      ) {
        const asked = await Promise.allSettled(all.slice(at, at + CONCURRENT_READS).map(ask));
        const good = asked.filter((each) => each.status === "fulfilled");
        for (const { value } of good) answers.push(...value);
        answered += good.length;
        vain = good.length === 0 ? vain + 1 : 0;
        failure ??= asked.find((each) => each.status === "rejected");
      }
      if (failure !== undefined) {
        if (answered === 0) throw failure.reason;
        process.emitWarning(asAppError(failure.reason, "Redis"));
      }
      return answers;
    },
  };
}

export function takenId(id: string): AppError {
  return new AppError(
    "INTERNAL",
    `A job or batch with the id ${id} already exists. Nothing was stored.`,
  );
}
