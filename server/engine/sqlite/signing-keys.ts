/** The keys that sign stream tokens, share links and tickets. */
import type { DatabaseSync } from "node:sqlite";
import type { SigningKey } from "#server/engine/signing-key-store.ts";

export interface SigningKeys {
  agree(key: SigningKey, at: Date): string;
  find(id: string): string | undefined;
}

export function createSigningKeys(db: DatabaseSync): SigningKeys {
  const dropEnded = db.prepare("DELETE FROM signing_keys WHERE ends <= ?");
  const add = db.prepare(
    "INSERT INTO signing_keys (id, secret, ends) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
  );
  const secretOf = db.prepare("SELECT secret FROM signing_keys WHERE id = ?");
  const find = (id: string) => (secretOf.get(id) as { secret: string } | undefined)?.secret;
  return {
    agree({ id, secret, until }, at) {
      dropEnded.run(at.getTime());
      add.run(id, secret, until.getTime());
      return find(id) ?? secret;
    },
    find,
  };
}

export function* readSigningKeys(db: DatabaseSync): Iterable<SigningKey> {
  const rows = db
    .prepare("SELECT id, secret, ends FROM signing_keys ORDER BY id")
    .iterate() as unknown as Iterable<{ id: string; secret: string; ends: number }>;
  for (const { id, secret, ends } of rows) yield { id, secret, until: new Date(ends) };
}
