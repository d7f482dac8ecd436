/** API keys that are revoked while connections and sign-ins rely on them, on a whole server. */
import { once } from "node:events";
import { io, type Socket } from "socket.io-client";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { withManagement } from "#server/command/reach-data.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import type { ApiKeys } from "./api-keys.ts";

let data: TestData;
let app: App;
let revoked: { id: string; key: string };
let kept: { id: string; key: string };

beforeEach(async () => {
  data = await newTestData();
  const env = { PORT: "0", LOG_LEVEL: "silent", SHUTDOWN_GRACE_MS: "0", AUTH_API_KEYS: "true" };
  app = await createApp(loadConfig({ ...data.env, ...env }));
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

const headers = ({ key }: { key: string }) => ({ authorization: `Bearer ${key}` });

async function openWebSocket(by: { key: string }) {
  const socket = new WebSocket(`${app.url.replace("http", "ws")}/trpc`, { headers: headers(by) });
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  const request = { id: 1, method: "subscription", params: { path: "feed.onUpdate" } };
  socket.send(JSON.stringify(request));
  await once(socket, "message");
  let isClosed = false;
  socket.on("close", () => (isClosed = true));
  return () => isClosed;
}

async function openEvents(by: { key: string }) {
  const answer = await fetch(`${app.url}/trpc/feed.onUpdate`, { headers: headers(by) });
  let isClosed = false;
  const reading = async () => {
    try {
      await answer.text();
    } catch {
      // The server broke it off.
    }
    isClosed = true;
  };
  void reading();
  return () => isClosed;
}

async function openSocketio({ key }: { key: string }) {
  const socket: Socket = io(app.url, { forceNew: true, auth: { token: key }, reconnection: false });
  onTestFinished(() => void socket.disconnect());
  await new Promise<void>((resolve) => socket.once("connection", () => resolve()));
  let isClosed = false;
  socket.on("disconnect", () => (isClosed = true));
  return () => isClosed;
}

/** Signs in on the page, and returns what tells whether the server still knows the browser. */
async function signIn({ key }: { key: string }) {
  const origin = app.url;
  const answer = await fetch(`${app.url}/auth/sign-in`, {
    method: "POST",
    headers: { origin, "content-type": "application/json" },
    body: JSON.stringify({ token: key }),
  });
  expect(answer.status).toBe(200);
  const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
  return async () => (await fetch(`${app.url}/auth/me`, { headers: { origin, cookie } })).status;
}

const openAll = (by: { key: string }) =>
  Promise.all([openWebSocket(by), openEvents(by), openSocketio(by)]);

test("[P13] a revoked key ends what it opened on every transport, and the sign-ins made with it, and nothing else", async () => {
  const [hers, his] = [await openAll(revoked), await openAll(kept)];
  const [herSignIn, hisSignIn] = [await signIn(revoked), await signIn(kept)];
  expect([await herSignIn(), await hisSignIn()]).toEqual([200, 200]);
  await revoke(revoked.id);
  await eventually(() => expect(hers.map((isClosed) => isClosed())).toEqual([true, true, true]));
  await eventually(async () => expect(await herSignIn()).toBe(401));
  expect(await hisSignIn()).toBe(200);
  expect(his.map((isClosed) => isClosed())).toEqual([false, false, false]);
});

test("[P13] a WebSocket that was refreshed with another key ends with that key, and not with the one before", async () => {
  const socket = new WebSocket(`${app.url.replace("http", "ws")}/trpc`, { headers: headers(kept) });
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  const second = await makeKey("bob");
  const params = { path: "auth.refresh", input: { json: { token: second.key } } };
  socket.send(JSON.stringify({ id: 1, method: "mutation", params }));
  const [answer] = (await once(socket, "message")) as [Buffer];
  expect(answer.toString()).toContain('"userId":"bob"');
  let isClosed = false;
  socket.once("close", () => (isClosed = true));
  const beside = await openWebSocket(kept);
  await revoke(kept.id);
  await eventually(() => expect(beside()).toBe(true));
  expect(isClosed).toBe(false);
  await revoke(second.id);
  await eventually(() => expect(isClosed).toBe(true));
});
