import { afterEach, expect, test } from "vitest";
import { openTestServer, type TestServer, until } from "#test/transports/socketio.fixture.ts";

let server: TestServer;
afterEach(async () => {
  await server.close();
});

const BROKEN = "broken off";

/** A client that has joined Socket.IO and polls. */
async function openSession(): Promise<string> {
  const address = `${server.url}/socket.io/?EIO=4&transport=polling`;
  const opened = await (await fetch(address)).text();
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
  const session = `${address}&sid=${sid}`;
  await fetch(session, { method: "POST", body: "40" });
  let greeting = "";
  while (!greeting.includes("session_id")) greeting += await (await fetch(session)).text();
  return session;
}

function poll(session: string): Promise<string> {
  return fetch(session).then(
    (answer) => answer.text(),
    () => BROKEN,
  );
}

/** Resolves when the server has the request, which it does not answer. */
async function holdPoll(session: string): Promise<{ answer: Promise<string> }> {
  const before = server.requests();
  const answer = poll(session);
  await until(() => expect(server.requests()).toBe(before + 1));
  return { answer };
}

test("a server that closes breaks off a pending poll without CLOSE", async () => {
  server = await openTestServer();
  const { answer } = await holdPoll(await openSession());
  await server.close();
  expect(await answer).toBe(BROKEN);
});

test("a hand-over breaks off a pending poll too, and the session ends", async () => {
  server = await openTestServer();
  const session = await openSession();
  const { answer } = await holdPoll(session);
  await server.transport.handOver?.(1);
  expect(await answer).toBe(BROKEN);
  expect((await fetch(session)).status).toBe(400);
});

test("a missed heartbeat breaks off a pending poll too", async () => {
  server = await openTestServer({ ping: { intervalMs: 50, timeoutMs: 200 } });
  const session = await openSession();
  const answers = [await poll(session)];
  while (answers.at(-1) === "2") answers.push(await poll(session));
  expect(answers.at(-1)).toBe(BROKEN);
});

test("a client that ends its session gets an answer to its poll", async () => {
  server = await openTestServer();
  const session = await openSession();
  const { answer } = await holdPoll(session);
  await fetch(session, { method: "POST", body: "1" });
  // Engine.IO's NOOP.
  expect(await answer).toBe("6");
});
