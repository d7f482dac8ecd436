import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { openEngine } from "#server/engine/index.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import type { Revoked, ToRevoke } from "#shared/revocation.ts";
import { auditOf } from "#test/engine/audit.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { createRevocationCheck } from "./revocation-check.ts";
import { createRevocations } from "./revocations.ts";

const START = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

let data: TestData;
let engine: Engine;
let time: number;
let told: Revoked[];
beforeEach(async () => {
  data = await newTestData();
  engine = await openEngine(data.config);
  time = START + 345;
  told = [];
});
afterEach(async () => {
  await engine.close();
  await data.remove();
});

/** Waiting sets the clock forward. */
const wait = vi.fn<(ms: number) => Promise<void>>(async (ms) => void (time += ms));
const revoke = (what: ToRevoke) =>
  createRevocations({
    store: engine.revocations,
    audit: auditOf(engine),
    now: () => new Date(time),
    onRevoked: (revoked) => told.push(revoked),
    wait,
  }).revoke("acme", what, COMMAND_ACTOR);

/** True if a token of this user counts. Issuers leave out the milliseconds. */
async function counts(issuedMs: number, user = "ann"): Promise<boolean> {
  const { refusal } = createRevocationCheck({ store: engine.revocations });
  const issuedAt = Math.floor(issuedMs / 1000) * 1000;
  return (await refusal({ tenant: "acme", user, id: "t", issuedAt })) === undefined;
}

describe("of a revoked user", () => {
  test("[P14] tokens of the same second end, and those that are issued after the answer count", async () => {
    const before = [time - 60_000, time - 344, time - 1, time];
    await revoke({ user: "ann" });
    const after = [time, time + 1, time + 60_000];
    expect(await Promise.all(before.map((at) => counts(at)))).toEqual([false, false, false, false]);
    expect(await Promise.all(after.map((at) => counts(at)))).toEqual([true, true, true]);
    expect(await counts(START, "bob")).toBe(true);
    expect(wait).toHaveBeenLastCalledWith(655);
    // At the very beginning of a second, too.
    await revoke({ user: "bob" });
    expect(await counts(time - 1000, "bob")).toBe(false);
    expect(await counts(time, "bob")).toBe(true);
  });

  test("[P14] the later revocation counts, also after the clock was set back", async () => {
    await revoke({ user: "ann" });
    time -= 60_000;
    await revoke({ user: "ann" });
    expect(await counts(START)).toBe(false);
    expect(await counts(START + 1000)).toBe(true);
  });
});

const kept = async (expiresAt: Date | null) => revoke({ tokenId: "t", expiresAt });

test("[P14] the revocation of a token is kept until it has expired, or for 400 days", async () => {
  const margin = 60_000;
  expect(await kept(null)).toEqual({
    tenant: "acme",
    tokenId: "t",
    keptUntil: new Date(time + 400 * DAY_MS + margin),
  });
  const expiresAt = new Date(time + 1000 * DAY_MS);
  expect(await kept(expiresAt)).toMatchObject({
    keptUntil: new Date(expiresAt.getTime() + margin),
  });
  expect(await counts(time)).toBe(false);
  await expect(kept(new Date(time))).rejects.toMatchObject({
    code: "BAD_REQUEST",
    message: "The token has expired already: 2026-01-01T00:00:00.345Z has passed.",
  });
});

test("each revocation is reported once, and one that failed is not", async () => {
  await revoke({ user: "ann" });
  await revoke({ tokenId: "t", expiresAt: null });
  await engine.close();
  for (const what of [{ user: "ann" }, { tokenId: "t", expiresAt: null }]) {
    await expect(revoke(what)).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
  }
  expect(told).toEqual([
    expect.objectContaining({ tenant: "acme", user: "ann" }),
    expect.objectContaining({ tenant: "acme", tokenId: "t" }),
  ]);
});
