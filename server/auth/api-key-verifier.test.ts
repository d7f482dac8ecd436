import { expect, inject, onTestFinished, test, vi } from "vitest";
import { loadConfig } from "#server/config.ts";
import type { ApiKeyStore } from "#server/engine/contract.ts";
import { openSqliteEngine } from "#server/engine/sqlite/open.ts";
import { guardAuthenticate } from "#server/transports/callers/authentication-guard.ts";
import type { ApiKeyRequest } from "#shared/api-key.ts";
import type { AppError } from "#shared/errors.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import { newTestData } from "#test/engine/data.fixture.ts";
import { openTestEngine } from "#test/redis/engine.fixture.ts";
import { startRedis } from "#test/redis/server.fixture.ts";
import { auditOf } from "#test/engine/audit.ts";
import { hashOfApiKey, newApiKey } from "./api-key.ts";
import { createApiKeys } from "./api-keys.ts";
import { createApiKeyVerifier } from "./api-key-verifier.ts";
import { createAuthenticate } from "./authenticate.ts";

const REQUEST: ApiKeyRequest = {
  tenant: "acme",
  user: "reports",
  scopes: ["jobs:read", "jobs:read", "operator"],
  label: "",
  expiresAt: null,
};
const START = Date.UTC(2026, 0, 1);

const tell = () => undefined;

/** The keys of an engine, as this process sees them and as another one changes them. The clock stands still but for `pass`. */
async function openKeys() {
  const data = await newTestData();
  const engine = await openSqliteEngine({ dataDir: data.env.DATA_DIR });
  onTestFinished(async () => {
    await engine.close();
    await data.remove();
  });
  let time = START;
  const now = () => new Date(time);
  const find = vi.fn<ApiKeyStore["find"]>((hash) => engine.apiKeys.find(hash));
  const noteUse = vi.fn<ApiKeyStore["noteUse"]>((id, at) => engine.apiKeys.noteUse(id, at));
  const told: string[] = [];
  const verifier = createApiKeyVerifier({
    store: { find, noteUse },
    now,
    tell: (error, what) => told.push(`${what}: ${(error as Error).message}`),
    clock: () => time,
  });
  const { verify } = verifier;
  const here = createApiKeys({ store: engine.apiKeys, audit: auditOf(engine), now });
  let isHintLost = false;
  await engine.onCredentialEnd((hint) => {
    if (!isHintLost) verifier.forget(hint);
  });
  return {
    engine,
    here,
    verify,
    loseHints: () => void (isHintLost = true),
    find,
    noteUse,
    told,
    pass: (ms: number) => void (time += ms),
  };
}

async function refusal(verified: Promise<unknown>) {
  try {
    return { accepted: await verified };
  } catch (error) {
    const { code, message, cause } = error as AppError;
    return { code, message, why: (cause as Error | undefined)?.message };
  }
}
const refused = (why: string) => ({
  code: "UNAUTHENTICATED",
  message: "This API key is not valid.",
  why: expect.stringContaining(why) as string,
});

test("[P8] a key acts as its user in its tenant, with its scopes", async () => {
  const { here, verify } = await openKeys();
  const { key, record } = await here.create({ ...REQUEST, expiresAt: new Date(START + 1000) });
  expect(await verify(key)).toEqual({
    principal: { userId: "reports", tenantId: "acme", scopes: ["jobs:read", "operator"] },
    expiresAt: START + 1000,
    issuedAt: START,
    id: record.id,
    keyHash: hashOfApiKey(key),
  });
  expect((await verify((await here.create(REQUEST)).key)).expiresAt).toBeUndefined();
});

test("[P8] the engine never has the key itself", async () => {
  const { here, engine } = await openKeys();
  const { key, record } = await here.create(REQUEST);
  const stored = JSON.stringify([record, await engine.apiKeys.list({ limit: 9 })]);
  expect(stored).toContain(record.id);
  expect(stored).not.toContain(key.slice(3));
});

test("[P8] an unknown, a revoked and an expired key get the same answer, and the log the reason", async () => {
  const { here, verify, pass, find } = await openKeys();
  const expiring = await here.create({ ...REQUEST, expiresAt: new Date(START + 1000) });
  const revoked = await here.create(REQUEST);
  await here.revoke(revoked.record.id);
  expect(await refusal(verify(revoked.key))).toEqual(refused(`${revoked.record.id} is revoked`));
  expect(await refusal(verify(newApiKey()))).toEqual(refused("it is unknown"));

  pass(999);
  expect((await verify(expiring.key)).id).toBe(expiring.record.id);
  // At its end, although what was read of it is still kept.
  pass(1);
  expect(await refusal(verify(expiring.key))).toEqual(refused(`${expiring.record.id} is expired`));

  find.mockClear();
  expect(await refusal(verify("jw_short"))).toEqual(refused("not of the form"));
  expect(find).not.toHaveBeenCalled();
});

test("[P8] a key that is revoked here counts no more at once", async () => {
  const { here, verify } = await openKeys();
  const { key, record } = await here.create(REQUEST);
  await verify(key);
  await here.revoke(record.id);
  expect(await refusal(verify(key))).toEqual(refused("is revoked"));
});

test("[P8] a key that is revoked with its user counts no more at once, and others need no read", async () => {
  const { here, verify, engine, find } = await openKeys();
  const { key } = await here.create(REQUEST);
  const others = [
    await here.create({ ...REQUEST, user: "bob" }),
    await here.create({ ...REQUEST, tenant: "bakery" }),
  ];
  for (const each of [{ key }, ...others]) await verify(each.key);
  const user = { tenant: REQUEST.tenant, user: REQUEST.user, before: new Date(START) };
  await engine.revocations.revokeUser(user, new Date(START));
  expect(await refusal(verify(key))).toEqual(refused("is revoked"));
  find.mockClear();
  for (const other of others) await verify(other.key);
  expect(find).not.toHaveBeenCalled();
});

test("[P8] a key whose revocation is not hinted at counts for five seconds more at most", async () => {
  const { here, loseHints, verify, pass } = await openKeys();
  const { key, record } = await here.create(REQUEST);
  await verify(key);
  loseHints();
  await here.revoke(record.id);
  pass(4999);
  await verify(key);
  pass(1);
  expect(await refusal(verify(key))).toEqual(refused("is revoked"));
});

test("[P8] a read that began before a revocation does not bring the key back", async () => {
  const { here, verify, find, engine } = await openKeys();
  const { key, record } = await here.create(REQUEST);
  let goOn: (() => void) | undefined;
  find.mockImplementationOnce(async (hash) => {
    const found = await engine.apiKeys.find(hash);
    await new Promise<void>((resolve) => (goOn = resolve));
    return found;
  });
  const before = verify(key);
  await vi.waitFor(() => expect(goOn).toBeDefined());
  await here.revoke(record.id);
  expect(await refusal(verify(key))).toEqual(refused("is revoked"));
  goOn?.();
  await before;
  expect(await refusal(verify(key))).toEqual(refused("is revoked"));
});

test("calls with one key share a read, and need none while it is kept", async () => {
  const { here, verify, find, pass } = await openKeys();
  const { key } = await here.create(REQUEST);
  await Promise.all(Array.from({ length: 50 }, () => verify(key)));
  await verify(key);
  expect(find).toHaveBeenCalledTimes(1);
  pass(5000);
  await verify(key);
  expect(find).toHaveBeenCalledTimes(2);
});

test("an unknown key is looked up each time, so that it counts once it is there", async () => {
  const { verify, find } = await openKeys();
  const unknown = newApiKey();
  for (let n = 0; n < 3; n++) await refusal(verify(unknown));
  expect(find).toHaveBeenCalledTimes(3);
});

test("[P8] while the engine cannot be read, no key counts, and the error says to try again", async () => {
  const { here, verify, engine, pass } = await openKeys();
  const { key } = await here.create(REQUEST);
  await verify(key);
  pass(5000);
  await engine.close();
  expect(await refusal(verify(key))).toMatchObject({ code: "UNAVAILABLE" });
});

test("[P8] while Redis is away, every caller with a key is told to try again", async () => {
  const redis = await startRedis(inject("redisServer"));
  onTestFinished(() => redis.close());
  const engine = await openTestEngine(redis.url);
  const { key } = await createApiKeys({
    store: engine.apiKeys,
    audit: auditOf(engine),
    now: () => new Date(),
  }).create(REQUEST);
  const keys = createApiKeyVerifier({ store: engine.apiKeys, now: () => new Date(), tell });
  const config = loadConfig({ AUTH_API_KEYS: "true" });
  const authenticate = guardAuthenticate(
    async (credentials) =>
      (await createAuthenticate(config, tell, { keys })?.(credentials)) ?? LOCAL_PRINCIPAL,
    { log: { warn: () => undefined } },
  );
  await redis.kill();
  for (const token of [key, newApiKey()]) {
    expect(await refusal(authenticate({ headers: {}, token }))).toMatchObject({
      code: "UNAVAILABLE",
      message: "The server could not check your credentials. Try again.",
    });
  }
  await redis.start();
  const back = await vi.waitFor(() => authenticate({ headers: {}, token: key }));
  expect(back.principal.userId).toBe("reports");
});

test("the last use is stored once a minute, and no call waits for it", async () => {
  const { here, verify, noteUse, pass, told } = await openKeys();
  const { key } = await here.create(REQUEST);
  noteUse.mockReturnValueOnce(new Promise(() => undefined));
  await verify(key);
  for (let n = 0; n < 11; n++) {
    pass(5000);
    await verify(key);
  }
  expect(noteUse).toHaveBeenCalledTimes(1);
  noteUse.mockRejectedValueOnce(new Error("disk full"));
  pass(5000);
  await verify(key);
  expect(noteUse).toHaveBeenCalledTimes(2);
  await vi.waitFor(() =>
    expect(told).toEqual(["The last use of an API key could not be stored: disk full"]),
  );
  pass(60_000);
  await verify(key);
  const used = async () => (await here.list({ limit: 1 })).items[0]?.lastUsedAt;
  await vi.waitFor(async () => expect(await used()).toEqual(new Date(START + 120_000)));
});

test("a use that another process has just stored is not stored again", async () => {
  const { here, verify, noteUse, pass, engine } = await openKeys();
  const { key, record } = await here.create(REQUEST);
  await engine.apiKeys.noteUse(record.id, new Date(START));
  pass(30_000);
  await verify(key);
  expect(noteUse).not.toHaveBeenCalled();
  pass(30_000);
  await verify(key);
  expect(noteUse).toHaveBeenCalledTimes(1);
});

test("a key that would be expired is not made, and one that does not exist is not revoked", async () => {
  const { here, engine } = await openKeys();
  await expect(here.create({ ...REQUEST, expiresAt: new Date(START) })).rejects.toThrow(
    "would be expired: 2026-01-01T00:00:00.000Z has passed",
  );
  expect((await engine.apiKeys.list({ limit: 1 })).items).toEqual([]);
  const absent = "0198f1a2-0000-7000-8000-000000000000";
  await expect(here.revoke(absent)).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: `There is no API key ${absent}.`,
  });
});
