import { decodeJwt, decodeProtectedHeader, SignJWT, UnsecuredJWT } from "jose";
import { expect, onTestFinished, test, vi } from "vitest";
import type { SigningKeyStore } from "#server/engine/contract.ts";
import { openEngine } from "#server/engine/index.ts";
import { loadConfig } from "#server/config.ts";
import { AppError } from "#shared/errors.ts";
import { MAX_SHARE_LINK_SECONDS } from "#shared/limits.ts";
import { newTestData } from "#test/engine/data.fixture.ts";
import { createSigningKeys } from "./signing-keys.ts";
import { createTokenSigner, looksLikeStreamToken, STREAM_TOKEN, TICKET } from "./token-signer.ts";
import { createTokenVerifier } from "./token-verifier.ts";

const DAY_MS = 86_400_000;
const SECRET = "a secret of the tests that has 32 bytes";
// An engine may forget keys by the machine's clock.
const TODAY = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const seconds = (ms: number) => Math.floor(ms / 1000);

async function openStore(): Promise<SigningKeyStore> {
  const data = await newTestData();
  const engine = await openEngine(data.config);
  onTestFinished(async () => {
    await engine.close();
    await data.remove();
  });
  return engine.signingKeys;
}

/** A process of its own: `clock` is its time, `ms` after today began. */
function startProcess(store: SigningKeyStore) {
  let ms = 0;
  const now = () => new Date(TODAY + ms);
  const keys = createSigningKeys({ store, now, clock: () => ms });
  return { keys, signer: createTokenSigner(keys, now), setTime: (to: number) => void (ms = to) };
}

const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
const CLAIMS = { sub: "viewer:1", jti: "1" };
const sign = (signer: ReturnType<typeof createTokenSigner>, ms = 3_600_000) =>
  signer.sign(STREAM_TOKEN, CLAIMS, seconds(TODAY + ms));

test("[P20] processes that sign at once agree on one key, of 256 random bits", async () => {
  const store = await openStore();
  const processes = Array.from({ length: 5 }, () => startProcess(store));
  const keys = await Promise.all(processes.map((each) => each.keys.current()));
  expect(new Set(keys.map(({ secret }) => Buffer.from(secret).toString("hex"))).size).toBe(1);
  expect(keys[0]?.secret).toHaveLength(32);
  const other = await startProcess(await openStore()).keys.current();
  expect(other.secret).not.toEqual(keys[0]?.secret);
  const [one, two] = processes;
  if (one === undefined || two === undefined) throw new Error("There are none.");
  const token = await sign(one.signer);
  expect(await two.signer.verify(STREAM_TOKEN, token)).toMatchObject(CLAIMS);
});

test("[P20] each day has a key of its own, and one counts as long as anything that it signed", async () => {
  const store = await openStore();
  const { signer, keys, setTime } = startProcess(store);
  const longest = MAX_SHARE_LINK_SECONDS * 1000;
  setTime(DAY_MS - 1000);
  const token = await sign(signer, DAY_MS - 1000 + longest);
  const first = await keys.current();
  setTime(DAY_MS);
  const second = await keys.current();
  expect(second.id).not.toBe(first.id);
  expect(second.secret).not.toEqual(first.secret);
  setTime(DAY_MS - 2000 + longest);
  expect(await signer.verify(STREAM_TOKEN, token)).toMatchObject(CLAIMS);
  setTime(DAY_MS - 1000 + longest);
  await expect(signer.verify(STREAM_TOKEN, token)).rejects.toMatchObject({ code: "TOKEN_EXPIRED" });
  setTime(3 * DAY_MS + longest);
  await expect(signer.verify(STREAM_TOKEN, token)).rejects.toMatchObject({
    code: "UNAUTHENTICATED",
  });
});

test.each<[what: string, find: () => Promise<string | undefined>]>([
  ["is not stored", async () => undefined],
  ["cannot be read", async () => "too short"],
  ["is away", () => Promise.reject(new AppError("UNAVAILABLE", "Redis is away."))],
])("[P20] a key that %s gives UNAVAILABLE, and access to no caller", async (_what, find) => {
  const token = await sign(startProcess(await openStore()).signer);
  const lost = startProcess({ find, agree: async () => (await find()) ?? "" });
  await expect(lost.signer.verify(STREAM_TOKEN, token)).rejects.toMatchObject({
    code: "UNAVAILABLE",
  });
  await expect(sign(lost.signer)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  // It is asked for again with the next call.
  await expect(lost.signer.verify(STREAM_TOKEN, token)).rejects.toMatchObject({
    code: "UNAVAILABLE",
  });
});

test("[P20] a process reads a key once a minute, and not for ids that no key can have", async () => {
  const store = await openStore();
  const token = await sign(startProcess(store).signer);
  const find = vi.fn<SigningKeyStore["find"]>((id) => store.find(id));
  const { signer, setTime } = startProcess({ find, agree: (key, at) => store.agree(key, at) });
  await Promise.all([1, 2, 3].map(() => signer.verify(STREAM_TOKEN, token)));
  expect(find).toHaveBeenCalledTimes(1);
  setTime(60_000);
  await signer.verify(STREAM_TOKEN, token);
  expect(find).toHaveBeenCalledTimes(2);
  const { kid = "" } = decodeProtectedHeader(token);
  for (const id of [
    "",
    "x",
    "-1",
    "0",
    "1e3",
    "9999999",
    `${Number(kid) + 2}`,
    `${Number(kid) - 40}`,
  ]) {
    const forged = await new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: "HS256", typ: STREAM_TOKEN, kid: id })
      .sign(new Uint8Array(32));
    await expect(signer.verify(STREAM_TOKEN, forged)).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
    });
  }
  expect(find).toHaveBeenCalledTimes(2);
});

test("[P20] only a token of the right type, algorithm and key counts", async () => {
  const { signer, keys, setTime } = startProcess(await openStore());
  const token = await sign(signer, DAY_MS + 3_600_000);
  setTime(DAY_MS);
  const later = await keys.current();
  setTime(0);
  const { secret, id: kid } = await keys.current();
  const exp = seconds(TODAY + 3_600_000);
  const claims = { ...CLAIMS, iat: seconds(TODAY), exp };
  const signed = (header: object, key = secret, given: object = claims) =>
    new SignJWT({ ...given })
      .setProtectedHeader({ alg: "HS256", typ: STREAM_TOKEN, kid, ...header })
      .sign(key);
  expect(await signer.verify(STREAM_TOKEN, await signed({}))).toEqual(claims);
  const [header = "", payload = "", signature = ""] = token.split(".");
  const forged: Record<string, string> = {
    "another secret": await signed({}, new TextEncoder().encode(SECRET)),
    "an empty secret": await signed({}, new Uint8Array(1)),
    "the key of another day": await signed({}, later.secret),
    "the id of another key": await signed({ kid: later.id }),
    "no id": await signed({ kid: undefined }),
    "no type": await signed({ typ: undefined }),
    "another type": await signed({ typ: "at+jwt" }),
    "the type of a ticket": await signed({ typ: TICKET }),
    "another algorithm": await signed({ alg: "HS512" }),
    "no end": await signed({}, secret, { ...claims, exp: undefined }),
    "no user": await signed({}, secret, { ...claims, sub: undefined }),
    "no signature": `${header}.${payload}.`,
    "the algorithm none": `${encoded({ alg: "none", typ: STREAM_TOKEN, kid })}.${payload}.`,
    "an unsecured JWT": new UnsecuredJWT(claims).encode(),
    "other claims": `${header}.${encoded({ ...decodeJwt(token), stream: "job:x" })}.${signature}`,
    "no JWT": "a.b.c",
  };
  for (const [what, text] of Object.entries(forged)) {
    await expect(signer.verify(STREAM_TOKEN, text), what).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
      message: "This token is not valid.",
    });
  }
  await expect(signer.verify(TICKET, token)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
});

test("[P20] a stream token or ticket is no token of a principal, even if one secret signs all", async () => {
  const { keys } = startProcess(await openStore());
  const { id: kid } = await keys.current();
  const verify = createTokenVerifier(loadConfig({ AUTH_JWT_SECRET: SECRET }));
  const principal = {
    sub: "ann",
    tenant: "acme",
    scope: "jobs:read",
    exp: seconds(Date.now()) + 60,
  };
  for (const typ of [
    STREAM_TOKEN,
    TICKET,
    STREAM_TOKEN.toUpperCase(),
    `application/${STREAM_TOKEN}`,
  ]) {
    const token = await new SignJWT({ ...principal, jti: "1" })
      .setProtectedHeader({ alg: "HS256", typ, kid })
      .setIssuedAt()
      .sign(new TextEncoder().encode(SECRET));
    await expect(verify(token)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    expect(looksLikeStreamToken(token)).toBe(typ === STREAM_TOKEN);
  }
  for (const text of ["", "a", "a.b.c", "jw_x", "é".repeat(9000)]) {
    expect(looksLikeStreamToken(text)).toBe(false);
  }
});
