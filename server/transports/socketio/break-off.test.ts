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

/** The server has the request, and does not answer it. */
async function holdPoll(session: string): Promise<{ answer: Promise<string> }> {
  const before = server.requests();
  const answer = poll(session);
  await until(() => expect(server.requests()).toBe(before + 1));
  return { answer };
}

test("a server that closes breaks a held poll off, and says no CLOSE", async () => {
  server = await openTestServer();
  const { answer } = await holdPoll(await openSession());
  await server.close();
  expect(await answer).toBe(BROKEN);
});

test("so does a hand-over, after which the session is gone", async () => {
  server = await openTestServer();
  const session = await openSession();
  const { answer } = await holdPoll(session);
  await server.transport.handOver?.(1);
  expect(await answer).toBe(BROKEN);
  expect((await fetch(session)).status).toBe(400);
});

test("so does a missed heartbeat", async () => {
  server = await openTestServer({ ping: { intervalMs: 50, timeoutMs: 200 } });
  const session = await openSession();
  const answers = [await poll(session)];
  while (answers.at(-1) === "2") answers.push(await poll(session));
  expect(answers.at(-1)).toBe(BROKEN);
});

test("a client that ends its session itself has its poll answered", async () => {
  server = await openTestServer();
  const session = await openSession();
  const { answer } = await holdPoll(session);
  await fetch(session, { method: "POST", body: "1" });
  // Engine.IO's NOOP.
  expect(await answer).toBe("6");
});
