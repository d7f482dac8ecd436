import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import { SignInRefusedSchema, SignedInSchema } from "#shared/sign-in.schema.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import {
  cookieIn,
  post,
  signIn,
  startAppWithTokens,
  tokenFor,
} from "#test/transports/signed-in.fixture.ts";

/** The server allows clocks to differ by so much. */
const TOLERANCE_S = 5;

let data: TestData;
let app: App;
let logged: string[];

beforeEach(async () => {
  data = await newTestData();
  logged = [];
  app = await startAppWithTokens(data, { logged, env: { CORS_ORIGINS: "https://*.wild.com" } });
});
afterEach(async () => {
  await app.close();
  await data.remove();
});

const me = (cookie?: string, headers: Record<string, string> = {}) =>
  fetch(`${app.url}/auth/me`, {
    headers: { "sec-fetch-site": "same-origin", ...(cookie && { cookie }), ...headers },
  });

const refusalIn = async (response: Response) => ({
  status: response.status,
  code: SignInRefusedSchema.parse(await response.json()).error.code,
});

test("[P10] signing in with a token sets a cookie, with which the server knows the caller", async () => {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const token = await tokenFor("ann", { exp, scope: "jobs:read tenant" });
  const answer = await post(app, "/auth/sign-in", { body: { token: ` ${token}\n` } });
  const ann = {
    user: "ann",
    tenant: "acme",
    scopes: ["jobs:read", "tenant"],
    expiresAt: (exp + TOLERANCE_S) * 1000,
    byCookie: true,
    methods: ["token"],
  };
  expect(answer.status).toBe(200);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(SignedInSchema.parse(await answer.json())).toEqual(ann);
  const [, maxAge] = /^jobwire=[\w-]{43}; Max-Age=(\d+); Path=\/; HttpOnly; SameSite=Lax$/.exec(
    answer.headers.get("set-cookie") ?? "",
  ) ?? [undefined, "none"];
  expect(Number(maxAge)).toBeGreaterThan(590);
  expect(Number(maxAge)).toBeLessThanOrEqual(600 + TOLERANCE_S);
  const known = await me(cookieIn(answer));
  expect([known.status, SignedInSchema.parse(await known.json())]).toEqual([200, ann]);
});

test("a caller with a token in the header is told who it is, and that signing out has no effect", async () => {
  const answer = await me(undefined, { authorization: `Bearer ${await tokenFor("bob")}` });
  expect(SignedInSchema.parse(await answer.json())).toMatchObject({ user: "bob", byCookie: false });
});

test("a caller that is not signed in learns how it can be", async () => {
  for (const cookie of [undefined, "jobwire=x", `jobwire=${"A".repeat(43)}`]) {
    const answer = await me(cookie);
    expect(answer.status).toBe(401);
    expect(SignInRefusedSchema.parse(await answer.json())).toMatchObject({
      error: { code: "UNAUTHENTICATED" },
      methods: ["token"],
    });
  }
});

test("[P10] a token that is refused sets no cookie; its sender learns the code, and the log the reason", async () => {
  const expired = await tokenFor("ann", { exp: Math.floor(Date.now() / 1000) - 60 });
  const forged = `${(await tokenFor("ann")).slice(0, -4)}AAAA`;
  for (const [token, code] of [
    [expired, "TOKEN_EXPIRED"],
    [forged, "UNAUTHENTICATED"],
    ["nonsense", "UNAUTHENTICATED"],
  ] as const) {
    const answer = await post(app, "/auth/sign-in", { body: { token } });
    expect(answer.headers.get("set-cookie")).toBeNull();
    expect(await refusalIn(answer)).toEqual({ status: 401, code });
  }
  const log = logged.join("");
  expect(log).toContain("A sign-in failed");
  expect(log).toContain("127.0.0.1");
  expect(log).not.toContain(forged);
  expect(log).not.toContain(expired);
});

test("[P10] a sign-in of the same browser replaces the one before", async () => {
  const first = await signIn(app, await tokenFor("ann"));
  const answer = await post(app, "/auth/sign-in", {
    body: { token: await tokenFor("bob") },
    cookie: first,
  });
  expect((await me(first)).status).toBe(401);
  expect(await (await me(cookieIn(answer))).json()).toMatchObject({ user: "bob" });
});

test("[P10] signing out ends the sign-in and deletes the cookie, also a second time", async () => {
  const cookie = await signIn(app, await tokenFor("ann"));
  const other = await signIn(app, await tokenFor("ann"));
  for (let times = 0; times < 2; times++) {
    const answer = await post(app, "/auth/sign-out", { cookie });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("set-cookie")).toMatch(/^jobwire=; Max-Age=0;/);
    expect((await me(cookie)).status).toBe(401);
  }
  expect((await me(other)).status).toBe(200);
});

test("[P10] a sign-in is still there after a restart", async () => {
  const cookie = await signIn(app, await tokenFor("ann"));
  await app.close();
  app = await startAppWithTokens(data);
  expect(await (await me(cookie)).json()).toMatchObject({ user: "ann" });
});

test.each(["https://evil.example", "null", "https://a.wild.com", ""])(
  "[P11] a page with the origin %s can neither sign in nor sign out",
  async (origin) => {
    const token = await tokenFor("ann");
    const cookie = await signIn(app, token);
    for (const path of ["/auth/sign-in", "/auth/sign-out"]) {
      const answer = await post(app, path, { body: { token }, cookie, origin });
      expect(answer.headers.get("set-cookie")).toBeNull();
      expect(await refusalIn(answer)).toEqual({ status: 403, code: "FORBIDDEN" });
    }
    expect((await me(cookie)).status).toBe(200);
  },
);

test.each<[what: string, body: unknown, type?: string]>([
  ["no token", {}],
  ["an empty token", { token: " " }],
  ["a token that is no text", { token: 7 }],
  ["no JSON", "{"],
  ["a form", "token=x", "application/x-www-form-urlencoded"],
  ["JSON that a form sent as text", '{"token":"x"}', "text/plain"],
  ["more than any token has", { token: "x".repeat(16 * 1024) }],
])("[H4] a sign-in with %s is refused", async (_what, body, type) => {
  const answer = await post(app, "/auth/sign-in", { body, ...(type && { type }) });
  expect(await refusalIn(answer)).toEqual({ status: 400, code: "BAD_REQUEST" });
});

test("other methods and paths below /auth are refused", async () => {
  const got = await fetch(`${app.url}/auth/sign-in`);
  expect([got.status, got.headers.get("allow")]).toEqual([405, "POST"]);
  expect((await post(app, "/auth/me")).status).toBe(405);
  for (const path of ["/auth", "/auth/", "/auth/constructor", "/auth/me/x"]) {
    expect(await refusalIn(await fetch(app.url + path))).toEqual({
      status: 404,
      code: "NOT_FOUND",
    });
  }
});

describe("a server without tokens", () => {
  test.each([
    ["without authentication", {}],
    ["with the function of an embedding program", { authenticate: async () => LOCAL_PRINCIPAL }],
  ])("%s has no sign-in, and reads no cookie", async (_what, parts) => {
    const own = await newTestData();
    const config = loadConfig({ PORT: "0", LOG_LEVEL: "silent", ...own.env });
    const plain = await createApp(config, parts);
    onTestFinished(async () => {
      await plain.close();
      await own.remove();
    });
    const answer = await fetch(`${plain.url}/auth/me`);
    expect(answer.headers.get("content-type")).not.toContain("json");
    expect((await post(plain, "/auth/sign-in", { body: { token: "x" } })).status).toBe(405);
    const info = await fetch(`${plain.url}/trpc/system.info`, {
      headers: { cookie: `jobwire=${"A".repeat(43)}` },
    });
    expect(info.status).toBe(200);
  });
});
