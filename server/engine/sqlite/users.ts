/**
 * The users of all tables, in the order of tenant and user. Each table has an index in this order, so the next user is the first
 * of those that each table names next, and a page costs the same however many users there are.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { KnownUser, UserPage, UserQuery, UserRef } from "#shared/known-user.ts";

/** Reading a page holds the event loop for some milliseconds. */
const PAGE_USERS = 200;

export function createUsers(db: DatabaseSync): (query: UserQuery, now: Date) => UserPage {
  const columns = [
    ["owners", "owner"],
    ["api_keys", "user"],
    ["sign_ins", "owner"],
    ["revoked_users", "user"],
  ] as const;
  const nextOfAll = columns.map(([table, user]) =>
    db.prepare(
      `SELECT tenant, ${user} AS user FROM ${table} WHERE (tenant, ${user}) > (?, ?) ORDER BY tenant, ${user} LIMIT 1`,
    ),
  );
  const nextOfTenant = columns.map(([table, user]) =>
    db.prepare(
      `SELECT tenant, ${user} AS user FROM ${table} WHERE tenant = ? AND ${user} > ? ORDER BY ${user} LIMIT 1`,
    ),
  );
  const jobs = db.prepare(
    "SELECT count(*) AS count FROM jobs WHERE owner_n = (SELECT n FROM owners WHERE tenant = ? AND owner = ?)",
  );
  const keys = db.prepare(
    "SELECT count(*) AS count FROM api_keys WHERE tenant = ? AND user = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
  );
  const signIns = db.prepare(
    "SELECT count(*) AS count FROM sign_ins WHERE tenant = ? AND owner = ? AND ends > ?",
  );
  const moment = db.prepare("SELECT moment FROM revoked_users WHERE tenant = ? AND user = ?");

  function following(ref: UserRef, isOneTenant: boolean): UserRef | undefined {
    const found = (isOneTenant ? nextOfTenant : nextOfAll).flatMap((next) => {
      const row = next.get(ref.tenant, ref.user) as UserRef | undefined;
      return row === undefined ? [] : [row];
    });
    return found.reduce<UserRef | undefined>(
      (first, each) => (first === undefined || isBefore(each, first) ? each : first),
      undefined,
    );
  }

  function known({ tenant, user }: UserRef, now: number): KnownUser {
    const revoked = moment.get(tenant, user) as { moment: number } | undefined;
    return {
      tenant,
      user,
      jobs: countOf(jobs, tenant, user),
      apiKeys: countOf(keys, tenant, user, now),
      signIns: countOf(signIns, tenant, user, now),
      revokedBefore: revoked === undefined ? null : new Date(revoked.moment),
    };
  }

  return ({ tenant, after }, now) => {
    const items: KnownUser[] = [];
    let at: UserRef | undefined = after ?? { tenant: tenant ?? "", user: "" };
    while ((at = following(at, tenant !== undefined)) !== undefined) {
      if (items.length === PAGE_USERS) return { items, next: refOf(items.at(-1)) };
      items.push(known(at, now.getTime()));
    }
    return { items, next: null };
  };
}

function countOf(statement: StatementSync, ...values: (string | number)[]): number {
  return (statement.get(...values) as { count: number }).count;
}

function refOf(user: UserRef | undefined): UserRef | null {
  return user === undefined ? null : { tenant: user.tenant, user: user.user };
}

/** In SQLite's order, which is that of the bytes of UTF-8. */
function isBefore(a: UserRef, b: UserRef): boolean {
  const byTenant = Buffer.compare(Buffer.from(a.tenant), Buffer.from(b.tenant));
  return (
    byTenant < 0 || (byTenant === 0 && Buffer.compare(Buffer.from(a.user), Buffer.from(b.user)) < 0)
  );
}
