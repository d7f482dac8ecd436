import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { openEngine } from "#server/engine/index.ts";
import { MAX_SIGN_INS } from "#server/engine/sign-in-limits.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import { AppError } from "#shared/errors.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { openSignIns, type SigningIn, type SignIns } from "./open.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ANN: SigningIn = {
  principal: { userId: "ann", tenantId: "acme", scopes: ["jobs:read"] },
  credential: { kind: "token", id: "token-1" },
};

let data: TestData;
let engine: Engine;
let time: number;
let told: string[];
let signIns: SignIns;

beforeEach(async () => {
  data = await newTestData();
  engine = await openEngine(data.config);
  time = Date.now();
  told = [];
  signIns = open(engine);
});
afterEach(async () => {
  await signIns.close();
  await engine.close();
  await data.remove();
});

function open(store: Engine): SignIns {
  return openSignIns(store, {
    idleMs: 2 * HOUR_MS,
    maxMs: 10 * HOUR_MS,
    now: () => new Date(time),
    tell: (_error, what) => told.push(what),
  });
}

/** Lets time pass, then uses the sign-in. */
async function use(secret: string, afterMs: number) {
  time += afterMs;
  const found = await signIns.find(secret);
  await signIns.close();
  return found;
}

test("[P10] a sign-in holds its principal and the name of its credential, and the engine only a hash of its secret", async () => {
  const { secret, signIn } = await signIns.begin(ANN);
  expect(Buffer.from(secret, "base64url")).toHaveLength(32);
  expect(await signIns.find(secret)).toEqual({
    id: createHash("sha256").update(secret).digest("base64url"),
    principal: { userId: "ann", tenantId: "acme", scopes: ["jobs:read"] },
    credential: { kind: "token", id: "token-1", issuedAt: time },
    madeAt: time,
    usedAt: time,
    expiresAt: time + 10 * HOUR_MS,
    endsAt: time + 2 * HOUR_MS,
  });
  expect(JSON.stringify(await engine.getSignIn(signIn.id, new Date(time)))).not.toContain(secret);
});

test("[P10] each sign-in has a secret of its own, and no other text is one", async () => {
  const first = await signIns.begin(ANN);
  const second = await signIns.begin(ANN);
  expect(first.secret).not.toBe(second.secret);
  for (const text of ["", "x", first.signIn.id, `${first.secret}A`, first.secret.slice(1), "é"]) {
    expect(await signIns.find(text)).toBeUndefined();
  }
});

test("[P10] it ends when it is not used for a while, and use puts that off", async () => {
  const { secret } = await signIns.begin(ANN);
  expect(await use(secret, 2 * HOUR_MS - 1)).toBeDefined();
  expect(await use(secret, 2 * HOUR_MS - 1)).toBeDefined();
  expect(await use(secret, 2 * HOUR_MS)).toBeUndefined();
});

test("[P10] it ends after its longest life, however much it is used", async () => {
  const { secret } = await signIns.begin(ANN);
  for (let hour = 1; hour < 10; hour++) expect(await use(secret, HOUR_MS)).toBeDefined();
  expect(await use(secret, HOUR_MS - 1)).toBeDefined();
  expect(await use(secret, 1)).toBeUndefined();
});

test("[P10] it ends with the token that it was made with", async () => {
  const { secret, signIn } = await signIns.begin({ ...ANN, expiresAt: time + HOUR_MS });
  expect(signIn.expiresAt).toBe(time + HOUR_MS);
  expect(await use(secret, HOUR_MS - 1)).toBeDefined();
  expect(await use(secret, 1)).toBeUndefined();
});

test("[P10] its use is written at most once a minute, also after the clock was set back", async () => {
  const renew = vi.spyOn(engine, "renewSignIn");
  const { secret } = await signIns.begin(ANN);
  await Promise.all(Array.from({ length: 9 }, () => signIns.find(secret)));
  await use(secret, MINUTE_MS - 1);
  expect(renew).toHaveBeenCalledTimes(0);
  time += 1;
  await Promise.all(Array.from({ length: 9 }, () => signIns.find(secret)));
  await signIns.close();
  expect(renew).toHaveBeenCalledTimes(1);
  expect((await use(secret, -HOUR_MS))?.usedAt).toBe(time + HOUR_MS);
  expect((await use(secret, 0))?.usedAt).toBe(time);
});

test("[P10] a use that cannot be stored is served all the same, and logged", async () => {
  const full = {
    ...engine,
    renewSignIn: () => Promise.reject(new AppError("UNAVAILABLE", "Full")),
  };
  const { secret } = await signIns.begin(ANN);
  signIns = open(full);
  expect(await use(secret, 5 * MINUTE_MS)).toBeDefined();
  expect(told).toEqual(["The use of a sign-in could not be stored"]);
});

test("[P10] signing out ends it, hints at that, and ends no other", async () => {
  const [first, second] = [await signIns.begin(ANN), await signIns.begin(ANN)];
  const hints: CredentialHint[] = [];
  await engine.onCredentialEnd((hint) => hints.push(hint));
  await signIns.end(first.secret);
  await signIns.end(first.secret);
  expect(await signIns.find(first.secret)).toBeUndefined();
  expect(await signIns.find(second.secret)).toBeDefined();
  await vi.waitFor(() => expect(hints).toEqual([{ kind: "sign-in", id: first.signIn.id }]));
});

test("[P10] one too many ends the one that would end first, and hints at that", async () => {
  const hints: CredentialHint[] = [];
  await engine.onCredentialEnd((hint) => hints.push(hint));
  const oldest = await signIns.begin({ ...ANN, expiresAt: time + HOUR_MS });
  for (let more = 1; more < MAX_SIGN_INS; more++) await signIns.begin(ANN);
  expect(hints).toEqual([]);
  await signIns.begin(ANN);
  await vi.waitFor(() => expect(hints).toEqual([{ kind: "sign-in", id: oldest.signIn.id }]));
});

test("[P14] it is as old as its token, or as itself where it was made with none", async () => {
  const issuedAt = time - HOUR_MS;
  const byToken = await signIns.begin({ ...ANN, credential: { ...ANN.credential, issuedAt } });
  expect(byToken.signIn.credential.issuedAt).toBe(issuedAt);
  expect((await signIns.begin(ANN)).signIn.credential.issuedAt).toBe(time);
});

test("[P10] a sign-in that cannot be stored, read or ended is UNAVAILABLE", async () => {
  const { secret } = await signIns.begin(ANN);
  await engine.close();
  for (const call of [signIns.begin(ANN), signIns.find(secret), signIns.end(secret)]) {
    await expect(call).rejects.toMatchObject({ code: "UNAVAILABLE" });
  }
});
