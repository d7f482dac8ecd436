/** The parts of the engine that store what callers identify themselves with. */
import type { DatabaseSync } from "node:sqlite";
import type { CredentialStores } from "#server/engine/contract.ts";
import { createApiKeys } from "./api-keys.ts";
import { createRevocations } from "./revocations.ts";
import { createShareLinks } from "./share-links.ts";
import { createSignIns } from "./sign-ins.ts";
import { createSigningKeys } from "./signing-keys.ts";
import { createTickets } from "./tickets.ts";
import type { Outbox } from "./outbox.ts";

interface CredentialStoresOptions {
  db: DatabaseSync;
  outbox: Outbox;
  read: <T>(query: () => T) => Promise<T>;
  write: <T>(op: () => T) => Promise<T>;
}

export function createCredentialStores({
  db,
  outbox,
  read,
  write,
}: CredentialStoresOptions): CredentialStores {
  const shareLinks = createShareLinks(db, outbox);
  const apiKeys = createApiKeys(db, shareLinks, outbox);
  const signIns = createSignIns(db, outbox);
  const revocations = createRevocations({ db, apiKeys, signIns, shareLinks, outbox });
  const signingKeys = createSigningKeys(db);
  const tickets = createTickets(db, outbox);
  return {
    apiKeys: {
      create: (key, hash) => write(() => apiKeys.create(key, hash)),
      find: (hash) => read(() => apiKeys.find(hash)),
      list: (query) => read(() => apiKeys.list(query)),
      revoke: (id, at) => write(() => apiKeys.revoke(id, at)),
      noteUse: (id, at) => write(() => apiKeys.noteUse(id, at)),
    },
    revocations: {
      revokeToken: (token, at) => write(() => revocations.revokeToken(token, at)),
      revokeUser: (user, at) => write(() => revocations.revokeUser(user, at)),
      find: (questions) => read(() => questions.map(revocations.find)),
    },
    signingKeys: {
      agree: (key, at) => write(() => signingKeys.agree(key, at)),
      find: (id) => read(() => signingKeys.find(id)),
    },
    shareLinks: {
      add: (stored, at) => write(() => shareLinks.add(stored, at)),
      find: (refs, at) => read(() => refs.map((ref) => shareLinks.find(ref, at))),
      list: (of, at) => read(() => shareLinks.list(of, at)),
      remove: (of, at) => write(() => shareLinks.remove(of, at)),
    },
    tickets: {
      take: (ticket, at) => write(() => tickets.take(ticket, at)),
      holders: (refs) => read(() => refs.map(tickets.holder)),
    },
    addSignIn: (signIn) => write(() => signIns.add(signIn)),
    getSignIn: (id, now) => read(() => signIns.get(id, now)),
    hasSignIns: (ids, now) => read(() => ids.map((id) => signIns.has(id, now))),
    renewSignIn: (signIn) => write(() => signIns.renew(signIn)),
    removeSignIn: ({ id }) => write(() => signIns.remove(id)),
  };
}
