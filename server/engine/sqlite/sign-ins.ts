/** Sign-ins of browsers. */
import type { DatabaseSync } from "node:sqlite";
import { MAX_SIGN_INS } from "#server/engine/sign-in-limits.ts";
import { SignInSchema } from "#shared/sign-in.schema.ts";
import type { SignIn } from "#shared/sign-in.ts";
import type { Outbox } from "./outbox.ts";

export interface SignIns {
  add(signIn: SignIn): string[];
  get(id: string, now: Date): SignIn | undefined;
  has(id: string, now: Date): boolean;
  renew(signIn: SignIn): boolean;
  remove(id: string): void;
  /** Returns their number. */
  removeOfUser(tenant: string, user: string): number;
}

/** More than one a call, so that they do not pile up. */
const EXPIRED_AT_ONCE = 3;

export function createSignIns(db: DatabaseSync, outbox: Pick<Outbox, "credentialEnded">): SignIns {
  const insert = db.prepare(
    "INSERT INTO sign_ins (id, tenant, owner, ends, record) VALUES (?, ?, ?, ?, ?)",
  );
  const find = db.prepare("SELECT record FROM sign_ins WHERE id = ? AND ends > ?");
  const exists = db.prepare("SELECT 1 FROM sign_ins WHERE id = ? AND ends > ?");
  const update = db.prepare("UPDATE sign_ins SET ends = ?, record = ? WHERE id = ?");
  const drop = db.prepare("DELETE FROM sign_ins WHERE id = ?");
  const dropOfUser = db.prepare("DELETE FROM sign_ins WHERE tenant = ? AND owner = ?");
  const dropExpired = db.prepare(
    "DELETE FROM sign_ins WHERE id IN (SELECT id FROM sign_ins WHERE ends <= ? ORDER BY ends LIMIT ?)",
  );
  const dropBeyond = db.prepare(
    `DELETE FROM sign_ins WHERE id IN (
       SELECT id FROM sign_ins WHERE tenant = ? AND owner = ? ORDER BY ends DESC LIMIT -1 OFFSET ?
     ) RETURNING id`,
  );

  return {
    add(signIn) {
      const { tenantId, userId } = signIn.principal;
      dropExpired.run(signIn.madeAt, EXPIRED_AT_ONCE);
      const dropped = dropBeyond.all(tenantId, userId, MAX_SIGN_INS - 1) as { id: string }[];
      insert.run(signIn.id, tenantId, userId, signIn.endsAt, JSON.stringify(signIn));
      for (const { id } of dropped) outbox.credentialEnded({ kind: "sign-in", id });
      return dropped.map(({ id }) => id);
    },
    get(id, now) {
      const row = find.get(id, now.getTime()) as { record: string } | undefined;
      return row && SignInSchema.parse(JSON.parse(row.record));
    },
    renew: (signIn) => update.run(signIn.endsAt, JSON.stringify(signIn), signIn.id).changes > 0,
    has: (id, now) => exists.get(id, now.getTime()) !== undefined,
    remove(id) {
      if (drop.run(id).changes > 0) outbox.credentialEnded({ kind: "sign-in", id });
    },
    removeOfUser: (tenant, user) => Number(dropOfUser.run(tenant, user).changes),
  };
}
