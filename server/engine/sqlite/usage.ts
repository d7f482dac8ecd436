/** How much each tenant has: counted as it changes, because every creation of a job asks. */
import type { DatabaseSync } from "node:sqlite";
import type { TenantUsage } from "#server/engine/quota.ts";

export interface Usage {
  of(tenant: string): TenantUsage;
  /** Adds to what the tenant has; what leaves is negative. */
  add(tenant: string, more: TenantUsage): void;
}

export function createUsage(db: DatabaseSync): Usage {
  const find = db.prepare(
    'SELECT waiting AS "waitingJobs", bytes FROM tenant_usage WHERE tenant = ?',
  );
  const add = db.prepare(
    `INSERT INTO tenant_usage (tenant, waiting, bytes) VALUES (?, ?, ?)
     ON CONFLICT (tenant) DO UPDATE SET waiting = waiting + excluded.waiting, bytes = bytes + excluded.bytes
     RETURNING waiting = 0 AND bytes = 0 AS is_nothing`,
  );
  const drop = db.prepare("DELETE FROM tenant_usage WHERE tenant = ?");
  return {
    of: (tenant) => (find.get(tenant) as TenantUsage | undefined) ?? { waitingJobs: 0, bytes: 0 },
    add(tenant, { waitingJobs, bytes }) {
      const { is_nothing: isNothing } = add.get(tenant, waitingJobs, bytes) as {
        is_nothing: number;
      };
      if (isNothing === 1) drop.run(tenant);
    },
  };
}
