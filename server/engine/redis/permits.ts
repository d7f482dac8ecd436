/**
 * Permits of running jobs, by which the ring keeps the limits of all tenants together (`scripts/shared/permits.lua`). A claim
 * reserves them, and the process that stores the end of a job tells it. What a process that died did not tell, the sweep finds:
 * no permit ends before its tenant says that the job does not run.
 */
import type { Client } from "./client.ts";
import { inGroups } from "./in-groups.ts";
import type { Keys } from "./keys.ts";
import type { RunScript } from "./scripts.ts";

export interface Permits {
  /** Begins to count the running jobs of kinds. Rejects unless every tenant was asked. */
  count(kinds: readonly string[]): Promise<void>;
  /** Ends permits that stand for no job any more. */
  check(): Promise<void>;
}

interface PermitsOptions {
  redis: Client;
  run: RunScript;
  keys: Keys;
}

/** A permit in the ring. */
interface Stale {
  kind: string;
  member: string;
  /** Of `stale-permits.lua`. */
  time: string;
}

/** Of a kind, in one sweep. */
const CHECKED_AT_ONCE = 1000;

/** The name of a job's permit: its own of each attempt. */
export function permitName(jobId: string, permit: string): string {
  return `${jobId} ${permit}`;
}

export function createPermits({ redis, run, keys }: PermitsOptions): Permits {
  /** The running jobs of a tenant that have permits, in the form of arguments: kind, member of the ring. Those of `kinds` get one. */
  async function heldOf(tenant: string, kinds: readonly string[]): Promise<string[]> {
    const held = await run<string[]>("held", keys.tenant(tenant), kinds);
    return inThrees(held).flatMap(([jobId, permit, kind]) => [
      kind,
      `${permitName(jobId, permit)} ${tenant}`,
    ]);
  }

  async function checkTenant(tenant: string, stale: readonly Stale[]): Promise<void> {
    const rows = stale.flatMap(({ kind, member, time }) => [kind, member, time]);
    await run("check-permits", keys.ring, stale.length, rows, await heldOf(tenant, []));
  }

  return {
    async count(kinds) {
      const tenants = await redis.smembers(keys.tenants);
      const held = await inGroups(tenants, (tenant) => heldOf(tenant, kinds));
      await run("count-kinds", keys.ring, kinds.length, kinds, held.flat());
    },
    async check() {
      const found = await run<string[]>("stale-permits", keys.ring, CHECKED_AT_ONCE);
      const byTenant = new Map<string, Stale[]>();
      for (const [kind, member, time] of inThrees(found)) {
        const tenant = tenantOf(member);
        const stale = { kind, member, time };
        byTenant.set(tenant, [...(byTenant.get(tenant) ?? []), stale]);
      }
      // That of a tenant whose node does not answer goes on. The next sweep tries again.
      await Promise.allSettled(
        Array.from(byTenant, ([tenant, stale]) => checkTenant(tenant, stale)),
      );
    },
  };
}

/** A member is "<job> <permit> <tenant>", or "+<op>.<n> <tenant>" of a reservation. */
function tenantOf(member: string): string {
  const words = member.split(" ");
  return words.slice(member.startsWith("+") ? 1 : 2).join(" ");
}

function inThrees(flat: readonly string[]): [string, string, string][] {
  const threes: [string, string, string][] = [];
  for (let index = 0; index < flat.length; index += 3) {
    threes.push(flat.slice(index, index + 3) as [string, string, string]);
  }
  return threes;
}
