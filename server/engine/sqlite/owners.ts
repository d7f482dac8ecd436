/**
 * Owners and their feed cursors: `rev` counts up with every change of any of an owner's jobs, and never goes back. The
 * row of an owner without jobs and batches is deleted. Each tenant has a row without an owner's name, with the newest
 * rev of all such owners; one that comes back counts on from there.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Owner } from "#shared/principal.ts";

export interface OwnerRow {
  n: number;
  rev: number;
}

export interface Owners {
  find(owner: Owner): OwnerRow | undefined;
  /** The newest cursor of the owner, known or not. */
  head(owner: Owner): number;
  /** Takes the next `by` revs; `rev` is the last of them. Creates the owner where it is missing. */
  advance(owner: Owner, by: number): OwnerRow;
  set(ownerN: number, rev: number): void;
  /** Deletes the owner, unless it has a job or a batch. */
  forget(ownerN: number): void;
}

const NO_OWNER = "";

export function createOwners(db: DatabaseSync): Owners {
  const find = db.prepare("SELECT n, rev FROM owners WHERE tenant = ? AND owner = ?");
  const add = db.prepare(
    "INSERT INTO owners (tenant, owner, rev) VALUES (?, ?, ?) RETURNING n, rev",
  );
  const advance = db.prepare(
    "UPDATE owners SET rev = rev + ? WHERE tenant = ? AND owner = ? RETURNING n, rev",
  );
  const set = db.prepare("UPDATE owners SET rev = ? WHERE n = ?");
  const drop = db.prepare(
    `DELETE FROM owners WHERE n = ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE owner_n = owners.n)
       AND NOT EXISTS (SELECT 1 FROM batches WHERE owner_n = owners.n) RETURNING tenant, rev`,
  );
  const keep = db.prepare(
    `INSERT INTO owners (tenant, owner, rev) VALUES (?, '${NO_OWNER}', ?)
     ON CONFLICT (tenant, owner) DO UPDATE SET rev = max(rev, excluded.rev)`,
  );

  function rowOf({ tenant, owner }: Owner): OwnerRow | undefined {
    return find.get(tenant, owner) as OwnerRow | undefined;
  }

  function head(owner: Owner): number {
    return (rowOf(owner) ?? rowOf({ ...owner, owner: NO_OWNER }))?.rev ?? 0;
  }

  return {
    find: rowOf,
    head,
    advance(owner, by) {
      const { tenant, owner: name } = owner;
      const known = advance.get(by, tenant, name);
      return (known ?? add.get(tenant, name, head(owner) + by)) as unknown as OwnerRow;
    },
    set: (ownerN, rev) => void set.run(rev, ownerN),
    forget(ownerN) {
      const dropped = drop.get(ownerN) as { tenant: string; rev: number } | undefined;
      if (dropped !== undefined) keep.run(dropped.tenant, dropped.rev);
    },
  };
}
