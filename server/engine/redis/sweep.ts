/**
 * Tells the ring again which tenants have work. It misses some after a process died between storing and telling, or after
 * Redis lost the ring. Each tenant costs the same, however many jobs it has.
 */
import type { Keys } from "./keys.ts";
import type { Permits } from "./permits.ts";
import type { News, Ring } from "./ring.ts";
import type { RunScript } from "./scripts.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

/** The answer of `look.lua`. */
export type Look = [
  ready: number,
  open: number,
  alarm: string,
  moment: number,
  bytes: number,
  free: string[],
];

interface SweepOptions {
  run: RunScript;
  keys: Keys;
  tenants: Pick<TenantDirectory, "ofAll">;
  ring: Pick<Ring, "tell" | "writeWeights">;
  permits: Pick<Permits, "check">;
}

/** The news of a tenant for the ring. */
export function createLook(run: RunScript, keys: Keys): (tenant: string) => Promise<News[]> {
  return async (tenant) => {
    const [ready, , alarm, moment, , free] = await run<Look>("look", keys.tenant(tenant));
    if (ready > 0) return [{ tenant, is: "ready", moment, alarm, free, none: "*" }];
    return alarm === "" ? [] : [{ tenant, alarm }];
  };
}

export function createSweep({
  run,
  keys,
  tenants,
  ring,
  permits,
}: SweepOptions): () => Promise<void> {
  const look = createLook(run, keys);
  return async () => {
    await ring.writeWeights();
    await ring.tell(await tenants.ofAll(look));
    await permits.check();
  };
}
