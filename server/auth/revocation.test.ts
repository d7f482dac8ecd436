/** Credentials that are revoked while connections and sign-ins rely on them, on a whole server. */
import { once } from "node:events";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { withManagement } from "#server/command/reach-data.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import {
  ALL_CLOSED,
  ALL_OPEN,
  openAll,
  openWebSocket,
} from "#test/transports/lasting-connections.fixture.ts";
import {
  type Claims,
  post,
  signIn as signInTo,
  startAppWithTokens,
  tokenFor,
} from "#test/transports/signed-in.fixture.ts";
import type { ApiKeys } from "./api-keys.ts";

let data: TestData;
let app: App;
let logged: string[];
let revoked: { id: string; key: string };
let kept: { id: string; key: string };

beforeEach(async () => {
  data = await newTestData();
  logged = [];
  app = await startAppWithTokens(data, { env: { SHUTDOWN_GRACE_MS: "0" }, logged });
  revoked = await makeKey("ann");
  kept = await makeKey("bob");
});
afterEach(async () => {
  await app.close();
  await data.remove();
});

/** Calls what the command calls: on SQLite in the server, which owns the data; on Redis beside it. */
const withKeys = <T>(use: (keys: ApiKeys) => Promise<T>): Promise<T> =>
  withManagement(
    loadConfig(data.env),
    () => new Date(),
    ({ apiKeys }) => use(apiKeys),
  );

const revoke = (id: string) => withKeys((keys) => keys.revoke(id));

async function makeKey(user: string): Promise<{ id: string; key: string }> {
  const scopes = [...PERSON_SCOPES];
  const request = { tenant: "acme", user, scopes, label: "", expiresAt: null };
  const { key, record } = await withKeys((keys) => keys.create(request));
  return { key, id: record.id };
}

/** Signs in on the page, and returns what tells whether the server still knows the browser. */
async function signIn(token: string) {
  const origin = app.url;
  const cookie = await signInTo(app, token);
  return async () => (await fetch(`${app.url}/auth/me`, { headers: { origin, cookie } })).status;
}

/** Ten seconds ago. */
const iat = Math.floor(Date.now() / 1000) - 10;
const token = (claims: Claims = {}) => tokenFor("ann", { iat, ...claims });

async function statusWith(text: string): Promise<number> {
  const headers = { authorization: `Bearer ${text}` };
  return (await fetch(`${app.url}/trpc/system.info`, { headers })).status;
}

const openEach = (tokens: readonly string[]) =>
  Promise.all(tokens.map((each) => openAll(app.url, { token: each })));
const statuses = (all: (() => Promise<number>)[]) => Promise.all(all.map((status) => status()));

const answerTo = async (text: string) => {
  const answer = await fetch(`${app.url}/trpc/system.info`, {
    headers: { authorization: `Bearer ${text}` },
  });
  return { status: answer.status, body: await answer.text() };
};

/** Asks `auth.revoke`, and returns the answer. */
async function asAdmin(json: object, claims: Claims = {}): Promise<string> {
  const admin = await tokenFor("boss", { scope: "admin", ...claims });
  const answer = await fetch(`${app.url}/trpc/auth.revoke`, {
    method: "POST",
    headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
    body: JSON.stringify({ json }),
  });
  return answer.text();
}

test("[P13] a revoked key ends what it opened on every transport, and the sign-ins made with it, and nothing else", async () => {
  const hers = await openAll(app.url, { token: revoked.key });
  const his = await openAll(app.url, { token: kept.key });
  const [herSignIn, hisSignIn] = [await signIn(revoked.key), await signIn(kept.key)];
  expect([await herSignIn(), await hisSignIn()]).toEqual([200, 200]);
  await revoke(revoked.id);
  await eventually(() => expect(hers()).toEqual(ALL_CLOSED));
  await eventually(async () => expect(await herSignIn()).toBe(401));
  expect(await hisSignIn()).toBe(200);
  expect(his()).toEqual(ALL_OPEN);
});

test("[P13] [P14] a revoked token ends what it opened and the sign-ins made with it, and no other token of its user", async () => {
  const tokens = [await token({ jti: "one" }), await token({ jti: "two" })] as const;
  const [one, two] = [
    await openAll(app.url, { token: tokens[0] }),
    await openAll(app.url, { token: tokens[1] }),
  ];
  const [firstSignIn, secondSignIn] = [await signIn(tokens[0]), await signIn(tokens[1])];
  await asAdmin({ tokenId: "one" });
  await eventually(() => expect(one()).toEqual(ALL_CLOSED));
  expect([await firstSignIn(), await secondSignIn()]).toEqual([401, 200]);
  expect(two()).toEqual(ALL_OPEN);
  expect([await statusWith(tokens[0]), await statusWith(tokens[1])]).toEqual([401, 200]);
});

test("[P13] [P14] a revoked user loses tokens, keys and sign-ins, and other users and tenants nothing", async () => {
  const hers = [revoked.key, await token({ jti: "one" }), await token()];
  const others = [kept.key, await token({ tenant: "bakery" }), await tokenFor("bob", { iat })];
  const [herConnections, otherConnections] = [await openEach(hers), await openEach(others)];
  const herSignIns = await Promise.all(hers.map(signIn));
  const otherSignIns = await Promise.all(others.map(signIn));
  const answer = await asAdmin({ user: "ann" });
  expect(answer).toContain('"apiKeys":1,"signIns":3');
  await eventually(() =>
    expect(herConnections.map((isClosed) => isClosed())).toEqual(hers.map(() => ALL_CLOSED)),
  );
  expect(otherConnections.map((isClosed) => isClosed())).toEqual(others.map(() => ALL_OPEN));
  expect(await statuses(herSignIns)).toEqual([401, 401, 401]);
  expect(await statuses(otherSignIns)).toEqual([200, 200, 200]);
  expect(await Promise.all(hers.map(statusWith))).toEqual([401, 401, 401]);
  const later = await token({ iat: Math.floor(Date.now() / 1000) });
  expect(await statusWith(later)).toBe(200);
  expect(logged.join("\n")).toMatch(/what \\"ann\\" was issued before \S+ was revoked/);
});

test("[P14] a revoked and an invalid token get the same answer", async () => {
  const one = await token({ jti: "one" });
  await asAdmin({ tokenId: "one" });
  expect(await answerTo(one)).toEqual(await answerTo(`${one.slice(0, -4)}AAAA`));
});

test("[P3] [P14] only admins revoke, and only in their own tenant", async () => {
  const one = await token({ jti: "one" });
  const scope = `${PERSON_SCOPES.join(" ")} tenant operator *`;
  expect(await asAdmin({ user: "ann" }, { scope })).toContain("needs the scope admin");
  await asAdmin({ user: "ann" }, { tenant: "bakery" });
  await asAdmin({ tokenId: "one" }, { tenant: "bakery" });
  expect(await asAdmin({ tokenId: "" })).toContain('"appCode":"BAD_REQUEST"');
  expect(await asAdmin({ tokenId: "a", user: "b" })).toContain('"appCode":"BAD_REQUEST"');
  expect(await asAdmin({})).toContain('"appCode":"BAD_REQUEST"');
  expect(await statusWith(one)).toBe(200);
});

test("a server without sign-in, or whose program authenticates, revokes nothing, and says so", async () => {
  const input = { json: { user: "ann" } };
  const answers: string[] = [];
  const scopes = ["admin"];
  for (const parts of [
    {},
    { authenticate: async () => ({ userId: "a", tenantId: "b", scopes }) },
  ]) {
    const own = await newTestData();
    const other = await createApp(
      loadConfig({ ...own.env, PORT: "0", LOG_LEVEL: "silent" }),
      parts,
    );
    answers.push(await (await post(other, "/trpc/auth.revoke", { body: input })).text());
    await other.close();
    await own.remove();
  }
  expect(answers[0]).toContain("No caller may use this on a server without sign-in.");
  expect(answers[1]).toContain("does not issue or check tokens itself");
  for (const answer of answers) expect(answer).toContain('"appCode":"FORBIDDEN"');
});

test("[P13] a WebSocket that was refreshed with another key ends with that key, and not with the one before", async () => {
  const socket = new WebSocket(`${app.url.replace("http", "ws")}/trpc`, {
    headers: { authorization: `Bearer ${kept.key}` },
  });
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  const second = await makeKey("bob");
  const params = { path: "auth.refresh", input: { json: { token: second.key } } };
  socket.send(JSON.stringify({ id: 1, method: "mutation", params }));
  const [answer] = (await once(socket, "message")) as [Buffer];
  expect(answer.toString()).toContain('"userId":"bob"');
  let isClosed = false;
  socket.once("close", () => (isClosed = true));
  const beside = await openWebSocket(app.url, { token: kept.key });
  await revoke(kept.id);
  await eventually(() => expect(beside()).toBe(true));
  expect(isClosed).toBe(false);
  await revoke(second.id);
  await eventually(() => expect(isClosed).toBe(true));
});
