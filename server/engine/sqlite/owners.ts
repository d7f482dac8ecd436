/**
 * Tenants, their owners and the cursors of their feeds. A tenant's `rev` counts up with every change of any of its jobs, and
 * never goes back; an owner's `rev` is that of the newest change of the owner's jobs. The row of an owner without jobs and
 * batches is deleted, and the tenant's rev stands for it.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Owner, OwnerFilter } from "#shared/principal.ts";

export interface FoundOwner {
  n: number;
  /** The newest cursor of the feed. */
  rev: number;
}

export interface TakenRevs {
  ownerN: number;
  tenantN: number;
  /** The last of them. */
  rev: number;
}

export interface Owners {
  /** The row of the owner, or of the tenant. `undefined`: it has never had a job, or an owner's last one was deleted. */
  find(of: OwnerFilter): FoundOwner | undefined;
  /** The newest cursor of the feed, also of owners and tenants that have no jobs. */
  head(of: OwnerFilter): number;
  /** Takes the next `by` revs. Creates the tenant and the owner if they are missing. */
  advance(owner: Owner, by: number): TakenRevs;
  revOfTenant(tenantN: number): number;
  setRevOfTenant(tenantN: number, rev: number): void;
  setRev(ownerN: number, rev: number): void;
  /** Deletes the owner, unless it has a job or a batch. */
  forget(ownerN: number): void;
}

export function createOwners(db: DatabaseSync): Owners {
  const find = db.prepare("SELECT n, rev FROM owners WHERE tenant = ? AND owner = ?");
  const findTenant = db.prepare("SELECT n, rev FROM tenants WHERE tenant = ?");
  const advance = db.prepare(
    `INSERT INTO owners (tenant, owner, rev) VALUES (?, ?, ?)
     ON CONFLICT (tenant, owner) DO UPDATE SET rev = excluded.rev RETURNING n, rev`,
  );
  const advanceTenant = db.prepare(
    `INSERT INTO tenants (tenant, rev) VALUES (?, ?)
     ON CONFLICT (tenant) DO UPDATE SET rev = rev + excluded.rev RETURNING n, rev`,
  );
  const revOfTenant = db.prepare("SELECT rev FROM tenants WHERE n = ?");
  const setRevOfTenant = db.prepare("UPDATE tenants SET rev = ? WHERE n = ?");
  const setRev = db.prepare("UPDATE owners SET rev = ? WHERE n = ?");
  const drop = db.prepare(
    `DELETE FROM owners WHERE n = ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE owner_n = owners.n)
       AND NOT EXISTS (SELECT 1 FROM batches WHERE owner_n = owners.n)`,
  );

  function rowOf({ tenant, owner }: OwnerFilter): FoundOwner | undefined {
    const row = owner === undefined ? findTenant.get(tenant) : find.get(tenant, owner);
    return row as FoundOwner | undefined;
  }

  return {
    find: rowOf,
    head: (of) => (rowOf(of) ?? rowOf({ tenant: of.tenant }))?.rev ?? 0,
    advance({ tenant, owner }, by) {
      const { n: tenantN, rev } = advanceTenant.get(tenant, by) as unknown as FoundOwner;
      const { n: ownerN } = advance.get(tenant, owner, rev) as unknown as FoundOwner;
      return { ownerN, tenantN, rev };
    },
    revOfTenant: (tenantN) => (revOfTenant.get(tenantN) as Pick<FoundOwner, "rev">).rev,
    setRevOfTenant: (tenantN, rev) => void setRevOfTenant.run(rev, tenantN),
    setRev: (ownerN, rev) => void setRev.run(rev, ownerN),
    forget: (ownerN) => void drop.run(ownerN),
  };
}
