/**
 * The users of all keys. There is no list of them: it would cost each job a write. So a page walks over the names of all keys,
 * in many small steps, and is larger than that of an embedded engine.
 */
import type { RevocationStore } from "#server/engine/contract.ts";
import type { KnownUser, UserPage, UserQuery, UserRef } from "#shared/known-user.ts";
import type { ApiKeyStore } from "#server/engine/api-key-store.ts";
import { stateOf } from "#shared/api-key.ts";
import { type Client, mastersOf } from "./client.ts";
import type { Keys } from "./keys.ts";

const PAGE_USERS = 5000;
/** Users whose numbers are read at once. */
const USERS_AT_ONCE = 500;
/** API keys a page. */
const PAGE_KEYS = 200;

interface Parts {
  redis: Client;
  keys: Keys;
  apiKeys: Pick<ApiKeyStore, "list">;
  revocations: Pick<RevocationStore, "find">;
}

export function createUsers({ redis, keys, apiKeys, revocations }: Parts) {
  const prefix = `${keys.prefix}:`;
  const ofOwner = /^\{([^}]*)\}:owner:([^:]*):(?:feed|sign-ins)$/;
  const ofRevoked = `${keys.apiKeys}:revoked-users:`;

  async function* names(pattern: string): AsyncIterable<string> {
    for (const node of mastersOf(redis)) {
      for await (const found of node.scanStream({ match: pattern, count: 1000 })) {
        yield* found as string[];
      }
    }
  }

  /** Adds the valid keys of each user to `counts`. */
  async function countKeys(tenant: string | undefined, now: Date, add: Add): Promise<void> {
    let cursor: string | undefined;
    do {
      const page = await apiKeys.list({ tenant, cursor, limit: PAGE_KEYS });
      for (const key of page.items) add(key, stateOf(key, now) === "valid" ? 1 : 0);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  async function collect(tenant: string | undefined, now: Date) {
    const found = new Map<string, UserRef & { apiKeys: number }>();
    const add: Add = ({ tenant: of, user }, count) => {
      const name = nameOf({ tenant: of, user });
      const known = found.get(name) ?? { tenant: of, user, apiKeys: 0 };
      known.apiKeys += count;
      found.set(name, known);
    };
    const tenants = tenant === undefined ? "*" : literal(encodeURIComponent(tenant));
    for await (const name of names(`${literal(prefix)}{${tenants}}:owner:*`)) {
      const [, of, user] = ofOwner.exec(name.slice(prefix.length)) ?? [];
      if (of === undefined || user === undefined) continue;
      add({ tenant: decodeURIComponent(of), user: decodeURIComponent(user) }, 0);
    }
    for await (const name of names(`${literal(ofRevoked)}${tenants}`)) {
      const of = decodeURIComponent(name.slice(ofRevoked.length));
      for (const user of await redis.zrange(name, "0", "-1")) add({ tenant: of, user }, 0);
    }
    await countKeys(tenant, now, add);
    return [...found.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  async function known(user: UserRef & { apiKeys: number }, now: Date): Promise<KnownUser> {
    const owner = { tenant: user.tenant, owner: user.user };
    const [jobs, signIns, [answer]] = await Promise.all([
      redis.zcard(`${keys.owner(owner)}:feed`),
      redis.zcount(keys.signInsOf(owner), `(${now.getTime()}`, "+inf"),
      revocations.find([{ tenant: user.tenant, user: user.user }]),
    ]);
    const { before = 0 } = answer ?? {};
    return { ...user, jobs, signIns, revokedBefore: before === 0 ? null : new Date(before) };
  }

  return async ({ tenant, after }: UserQuery, now: Date): Promise<UserPage> => {
    const all = await collect(tenant, now);
    const from = after == null ? undefined : nameOf(after);
    const rest = all.filter(([name]) => from === undefined || name > from).map(([, user]) => user);
    const page = rest.slice(0, PAGE_USERS);
    const items: KnownUser[] = [];
    for (let at = 0; at < page.length; at += USERS_AT_ONCE) {
      const some = page.slice(at, at + USERS_AT_ONCE).map((user) => known(user, now));
      items.push(...(await Promise.all(some)));
    }
    const last = items.at(-1);
    const isLast = last === undefined || page.length === rest.length;
    return { items, next: isLast ? null : { tenant: last.tenant, user: last.user } };
  };
}

/** Names of tenants may contain what patterns of Redis interpret. */
function literal(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`);
}

type Add = (user: UserRef, apiKeys: number) => void;

/** In the order of the bytes of UTF-8, as an embedded engine has it. */
function nameOf({ tenant, user }: UserRef): string {
  return `${Buffer.from(tenant).toString("hex")} ${Buffer.from(user).toString("hex")}`;
}
