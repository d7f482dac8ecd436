/** Mirrors of outside queues: all of one lies in the slot of its tenant, as its jobs do. */
import { notFound } from "#server/engine/errors.ts";
import type { MirrorRef, MirrorStore } from "#server/engine/mirror-store.ts";
import { MAX_LOG_LINES } from "#shared/limits.ts";
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";
import { encodeNewLine } from "./records.ts";
import type { RunScript } from "./scripts.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

export interface MirrorsOptions {
  redis: Client;
  run: RunScript;
  keys: Keys;
  tenants: Pick<TenantDirectory, "find">;
  use: <T>(call: () => Promise<T>) => Promise<T>;
}

export function createMirrors({ redis, run, keys, tenants, use }: MirrorsOptions): MirrorStore {
  const jobsOf = ({ tenant, name }: MirrorRef) => `${keys.tenant(tenant)}:mirror:${name}:jobs`;
  return {
    hold: ({ mirror: { tenant, name }, holder, leaseMs, position = "" }) =>
      use(async () => {
        const prefix = keys.tenant(tenant);
        const [stored] = await run<[] | [string]>(
          "hold-mirror",
          prefix,
          name,
          holder,
          leaseMs,
          position,
        );
        if (stored === undefined) return undefined;
        return { position: stored === "" ? null : stored };
      }),
    release: ({ tenant, name }, holder) =>
      use(async () => {
        await run("hold-mirror", keys.tenant(tenant), name, holder, 0, "");
      }),
    find: (mirror, outsideIds) =>
      use(async () => {
        if (outsideIds.length === 0) return [];
        const found = await redis.hmget(jobsOf(mirror), ...outsideIds);
        return found.map((jobId) => jobId ?? undefined);
      }),
    bind: (mirror, outsideId, jobId) =>
      use(async () => {
        const key = jobsOf(mirror);
        if ((await redis.hsetnx(key, outsideId, jobId)) === 1) return jobId;
        return (await redis.hget(key, outsideId)) ?? jobId;
      }),
    unbind: (mirror, outsideIds) =>
      use(async () => {
        if (outsideIds.length > 0) await redis.hdel(jobsOf(mirror), ...outsideIds);
      }),
    appendLines: (jobId, after, lines) =>
      use(async () => {
        const newest = await tenants.find(jobId, async (tenant) => {
          const answer = await run<number>(
            "append-mirrored-lines",
            keys.tenant(tenant),
            jobId,
            after,
            MAX_LOG_LINES,
            lines.map(encodeNewLine),
          );
          return answer < 0 ? undefined : answer;
        });
        if (newest === undefined) throw notFound(jobId);
        return newest;
      }),
  };
}
