/**
 * Sign-ins of browsers. Each is a key that expires. A sorted set lists those of a user by their ends, and lies in another slot:
 * each command may run twice or be the last one, and at worst the set lists one that is gone.
 */
import { MAX_SIGN_INS } from "#server/engine/sign-in-limits.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import { type Owner, ownerOf, type Principal } from "#shared/principal.ts";
import { SignInSchema } from "#shared/sign-in.schema.ts";
import type { SignIn } from "#shared/sign-in.ts";
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";

export interface SignIns {
  add(signIn: SignIn): Promise<string[]>;
  get(id: string, now: Date): Promise<SignIn | undefined>;
  has(ids: readonly string[]): Promise<boolean[]>;
  renew(signIn: SignIn): Promise<boolean>;
  remove(signIn: Pick<SignIn, "id" | "principal">): Promise<void>;
  /** Returns their number. */
  removeOfUser(owner: Owner): Promise<number>;
}

export function createSignIns(redis: Client, keys: Keys): SignIns {
  const listOf = (principal: Principal) => keys.signInsOf(ownerOf(principal));

  async function list({ id, principal, endsAt }: SignIn): Promise<void> {
    const key = listOf(principal);
    await redis.zadd(key, endsAt, id);
    // Until the last of them has ended. `GT` does nothing for a key that does not expire yet.
    await redis.pexpireat(key, endsAt, "NX");
    await redis.pexpireat(key, endsAt, "GT");
  }

  /** A hint may be lost, and the sign-in has ended in any case. */
  async function tellEnd(id: string): Promise<void> {
    const hint: CredentialHint = { kind: "sign-in", id };
    await redis.spublish(keys.credentialHints, JSON.stringify(hint)).catch(() => undefined);
  }

  /** Deletes so many that there is room for one more. */
  async function makeRoom({ principal, madeAt }: SignIn): Promise<string[]> {
    const key = listOf(principal);
    await redis.zremrangebyscore(key, "-inf", madeAt);
    const beyond = await redis.zrange(key, "0", `${-MAX_SIGN_INS}`);
    for (const id of beyond) {
      await redis.del(keys.signIn(id));
      await redis.zrem(key, id);
      await tellEnd(id);
    }
    return beyond;
  }

  return {
    async add(signIn) {
      const dropped = await makeRoom(signIn);
      await list(signIn);
      await redis.set(keys.signIn(signIn.id), JSON.stringify(signIn), "PXAT", signIn.endsAt);
      return dropped;
    },
    async get(id, now) {
      const stored = await redis.get(keys.signIn(id));
      if (stored === null) return undefined;
      const signIn = SignInSchema.parse(JSON.parse(stored));
      return signIn.endsAt > now.getTime() ? signIn : undefined;
    },
    async renew(signIn) {
      const { id, endsAt } = signIn;
      const text = JSON.stringify(signIn);
      // `XX`: one that was ended meanwhile stays so.
      const set = await redis.set(keys.signIn(id), text, "PXAT", endsAt, "XX");
      if (set === null) return false;
      await list(signIn);
      return true;
    },
    async has(ids) {
      // They lie in any slots.
      const found = await Promise.all(ids.map((id) => redis.exists(keys.signIn(id))));
      return found.map((count) => count === 1);
    },
    async remove({ id, principal }) {
      await redis.del(keys.signIn(id));
      await redis.zrem(listOf(principal), id);
      await tellEnd(id);
    },
    async removeOfUser(owner) {
      const key = keys.signInsOf(owner);
      const ids = await redis.zrange(key, "0", "-1");
      const deleted = await Promise.all(ids.map((id) => redis.del(keys.signIn(id))));
      if (ids.length > 0) await redis.zrem(key, ...ids);
      return deleted.reduce((sum, count) => sum + count, 0);
    },
  };
}
