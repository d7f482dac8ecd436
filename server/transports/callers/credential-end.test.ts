import { expect, test } from "vitest";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import { LOCAL_PRINCIPAL as me } from "#shared/principal.ts";
import { assertSameUser, losesScope, msToEnd } from "./credential-end.ts";

const callerWith = (lifeMs: number) => ({ expiresAt: Date.now() + lifeMs });

test("[P5] credentials that end together end their connections apart, and none too early", () => {
  const ends = Array.from({ length: 2000 }, () => msToEnd(callerWith(900_000), SYSTEM_CLOCK) ?? 0);
  expect(Math.min(...ends)).toBeGreaterThan(899_000);
  expect(Math.max(...ends)).toBeLessThanOrEqual(910_000);
  const inOneSecond = ends.filter((ms) => ms >= 904_000 && ms < 905_000);
  expect(inOneSecond.length).toBeLessThan(400);
});

test("[P5] short credentials are spread less, those that have ended not at all", () => {
  const ends = Array.from({ length: 100 }, () => msToEnd(callerWith(1000), SYSTEM_CLOCK) ?? 0);
  expect(Math.max(...ends)).toBeLessThanOrEqual(1100);
  expect(msToEnd(callerWith(-5), SYSTEM_CLOCK)).toBe(0);
  expect(msToEnd({ expiresAt: undefined }, SYSTEM_CLOCK)).toBeUndefined();
});

test.each([
  ["the same", ["a", "b"], ["b", "a"], false],
  ["more", ["a"], ["a", "b"], false],
  ["less", ["a", "b"], ["a"], true],
  ["others", ["a"], ["b"], true],
  ["none before", [], [], false],
])("[P6] scopes that are %s", (_what, before, after, loses) => {
  expect(losesScope({ ...me, scopes: before }, { ...me, scopes: after })).toBe(loses);
});

test("[P6] another user, or the same name at another tenant, is not the same user", () => {
  expect(() => assertSameUser(me, { ...me, scopes: [] })).not.toThrow();
  for (const other of [{ userId: "eve" }, { tenantId: "other" }]) {
    expect(() => assertSameUser(me, { ...me, ...other })).toThrow("belongs to another user");
  }
});
