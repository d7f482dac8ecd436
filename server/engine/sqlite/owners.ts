/** Owners and their feed cursors: `rev` counts up with every change of any of an owner's jobs. */
import type { DatabaseSync } from "node:sqlite";
import type { Owner } from "#shared/principal.ts";

export interface OwnerRow {
  n: number;
  rev: number;
}

export interface Owners {
  find(owner: Owner): OwnerRow | undefined;
  /** Takes the next `by` revs; `rev` is the last of them. Makes the owner known where it is not. */
  advance(owner: Owner, by: number): OwnerRow;
  set(ownerN: number, rev: number): void;
}

export function createOwners(db: DatabaseSync): Owners {
  const find = db.prepare("SELECT n, rev FROM owners WHERE tenant = ? AND owner = ?");
  const advance = db.prepare(
    `INSERT INTO owners (tenant, owner, rev) VALUES (?, ?, ?)
     ON CONFLICT (tenant, owner) DO UPDATE SET rev = rev + excluded.rev RETURNING n, rev`,
  );
  const set = db.prepare("UPDATE owners SET rev = ? WHERE n = ?");
  return {
    find: ({ tenant, owner }) => find.get(tenant, owner) as OwnerRow | undefined,
    advance: ({ tenant, owner }, by) => advance.get(tenant, owner, by) as unknown as OwnerRow,
    set: (ownerN, rev) => void set.run(rev, ownerN),
  };
}
