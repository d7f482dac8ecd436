/** Renews the leases of claims, tenant by tenant. */
import type { ClaimRef } from "#server/engine/contract.ts";
import type { Keys } from "./keys.ts";
import type { Ring } from "./ring.ts";
import type { RunScript } from "./scripts.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

/** Returns the claims that do not hold any more. */
export type Renew = <Ref extends ClaimRef>(
  claims: readonly Ref[],
  leaseMs: number,
) => Promise<Ref[]>;

interface RenewOptions {
  run: RunScript;
  keys: Keys;
  tenants: Pick<TenantDirectory, "of">;
  ring: Pick<Ring, "tell">;
}

/** If the cluster node of one tenant is down, it still renews the leases of other tenants. */
export function createRenew({ run, keys, tenants, ring }: RenewOptions): Renew {
  return async (claims, leaseMs) => {
    type Ref = (typeof claims)[number];
    const of = await Promise.allSettled(claims.map(({ jobId }) => tenants.of(jobId)));
    const known = new Map<string, Ref[]>();
    const lost: Ref[] = [];
    const failures: unknown[] = [];
    for (const [index, claim] of claims.entries()) {
      const found = of[index];
      if (found?.status === "rejected") failures.push(found.reason);
      else if (found?.value === undefined) lost.push(claim);
      else known.set(found.value, [...(known.get(found.value) ?? []), claim]);
    }
    let held = 0;
    await Promise.all(
      Array.from(known, async ([tenant, some]) => {
        try {
          const refs = some.flatMap(({ jobId, token }) => [jobId, `${token}`]);
          const [alarm, ...holds] = await run<[string, ...number[]]>(
            "renew",
            keys.tenant(tenant),
            leaseMs,
            refs,
          );
          lost.push(...some.filter((_, index) => holds[index] !== 1));
          held += holds.filter((each) => each === 1).length;
          if (alarm !== "") await ring.tell([{ tenant, alarm }]);
        } catch (cause) {
          failures.push(cause);
        }
      }),
    );
    if (failures.length > 0 && held + lost.length === 0) throw failures[0];
    return claims.filter((claim) => lost.includes(claim));
  };
}
