import { describe, expect } from "vitest";
import { MAX_SIGN_INS } from "#server/engine/sign-in-limits.ts";
import type { SignIn } from "#shared/sign-in.ts";
import { newId } from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

const HOUR_MS = 60 * 60_000;
// An engine may expire them by the machine's clock, so the times are long.
const NOW = Date.now();
const after = (ms: number) => new Date(NOW + ms);

function signInOf(userId: string, given: Partial<SignIn> = {}): SignIn {
  return {
    id: newId(),
    principal: { userId, tenantId: "acme", scopes: ["jobs:read", "job:ü:read"] },
    credential: { kind: "token", id: null },
    madeAt: NOW,
    usedAt: NOW,
    expiresAt: NOW + 60 * HOUR_MS,
    endsAt: NOW + 10 * HOUR_MS,
    ...given,
  };
}

export function signInsSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("sign-ins", () => {
    test("[P10] one that was stored is there, also after closing and opening", async ({
      data,
      engine,
    }) => {
      const hers = signInOf("ann", { credential: { kind: "key", id: "key-1" } });
      expect(await engine.getSignIn(hers.id, after(0))).toBeUndefined();
      expect(await engine.addSignIn(hers)).toEqual([]);
      expect(await engine.getSignIn(hers.id, after(0))).toEqual(hers);
      await engine.close();
      expect(await (await data.open()).getSignIn(hers.id, after(0))).toEqual(hers);
    });

    test("[P10] one that has ended is gone", async ({ engine }) => {
      const hers = signInOf("ann");
      await engine.addSignIn(hers);
      expect(await engine.getSignIn(hers.id, after(10 * HOUR_MS - 1))).toEqual(hers);
      expect(await engine.getSignIn(hers.id, after(10 * HOUR_MS))).toBeUndefined();
    });

    test("[P10] renewing puts its end off, and revives none that was removed", async ({
      engine,
    }) => {
      const hers = signInOf("ann");
      await engine.addSignIn(hers);
      const later = { ...hers, usedAt: NOW + HOUR_MS, endsAt: NOW + 11 * HOUR_MS };
      expect(await engine.renewSignIn(later)).toBe(true);
      expect(await engine.getSignIn(hers.id, after(10 * HOUR_MS))).toEqual(later);
      await engine.removeSignIn(hers);
      await engine.removeSignIn(hers);
      expect(await engine.getSignIn(hers.id, after(0))).toBeUndefined();
      expect(await engine.renewSignIn(later)).toBe(false);
      expect(await engine.getSignIn(hers.id, after(0))).toBeUndefined();
    });

    test("[P10] of too many of a user the one goes that would end first, never the newest", async ({
      engine,
    }) => {
      const others = [signInOf("bob"), signInOf("ann")];
      if (others[1]) others[1].principal.tenantId = "other";
      for (const other of others) await engine.addSignIn(other);
      const hers = Array.from({ length: MAX_SIGN_INS }, (_, index) =>
        signInOf("ann", { endsAt: NOW + (20 + index) * HOUR_MS }),
      );
      for (const each of hers) expect(await engine.addSignIn(each)).toEqual([]);
      const [first, second, ...rest] = hers;
      if (first === undefined || second === undefined) throw new Error("There are some.");
      // Used again, the first one now ends last.
      await engine.renewSignIn({ ...first, endsAt: NOW + 50 * HOUR_MS });
      const newest = signInOf("ann", { endsAt: NOW + HOUR_MS });
      expect(await engine.addSignIn(newest)).toEqual([second.id]);
      expect(await engine.getSignIn(second.id, after(0))).toBeUndefined();
      for (const { id } of [first, ...rest, newest, ...others]) {
        expect(await engine.getSignIn(id, after(0))).toMatchObject({ id });
      }
    });

    test("[P10] those that have ended are none too many", async ({ engine }) => {
      for (let n = 0; n < MAX_SIGN_INS; n++) await engine.addSignIn(signInOf("ann"));
      const later = NOW + 10 * HOUR_MS;
      const next = signInOf("ann", { madeAt: later, usedAt: later, endsAt: later + HOUR_MS });
      expect(await engine.addSignIn(next)).toEqual([]);
    });
  });
}
