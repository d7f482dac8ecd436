import { encode } from "@msgpack/msgpack";
import { afterEach, expect, test } from "vitest";
import { MAX_STRANGER_BYTES } from "#server/transports/requests/stranger-limit.ts";
import { joinRaw, openPolling, openRaw } from "#test/transports/socketio-raw-client.ts";
import { openTestServer, type TestServer, until } from "#test/transports/socketio.fixture.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";

let server: TestServer;
afterEach(async () => {
  await server.close();
});

test("[L4] a connection that joins repeatedly is closed before it costs much", async () => {
  let asked = 0;
  server = await openTestServer({
    authenticate: async () => {
      asked += 1;
      return { userId: "anna", tenantId: "t", scopes: [...PERSON_SCOPES] };
    },
  });
  const bad = await openPolling(server.url);
  await bad.post(...Array.from({ length: 100_000 }, () => "40"));
  await until(async () => expect((await bad.poll()).status).toBe(400));
  expect(asked).toBeLessThan(10);
  const { socket } = server.connect();
  await until(() => expect(socket.connected).toBe(true));
});

test("a client may leave and join again on one connection", async () => {
  server = await openTestServer();
  const client = await openPolling(server.url);
  const greetings: string[] = [];
  for (let round = 1; round <= 3; round++) {
    await client.post("40");
    while (greetings.length < round) {
      const { packets } = await client.poll();
      greetings.push(...packets.filter((packet) => packet.startsWith('42["connection"')));
    }
    await client.post("41");
  }
  expect(new Set(greetings).size).toBe(3);
});

/** More than a stranger may send. */
const LARGE = "x".repeat(MAX_STRANGER_BYTES);

test.for([
  ["text", "/socket.io/", `40${JSON.stringify({ token: LARGE })}`],
  ["MessagePack", "/socket.io-msgpack/", encode({ type: 0, nsp: "/", data: { token: LARGE } })],
] as const)("[R9] a large join in %s ends the connection", async ([, path, packet]) => {
  server = await openTestServer();
  const raw = openRaw(`${server.url.replace("http", "ws")}${path}?EIO=4&transport=websocket`);
  await until(() => expect(raw.frames).toHaveLength(1));
  raw.send(typeof packet === "string" ? packet : Buffer.from(packet));
  await raw.closed;
  // It has not joined.
  expect(raw.frames).toHaveLength(1);
});

test("[R9] a client that has joined may send large packets", async () => {
  server = await openTestServer();
  const raw = await joinRaw(server.url);
  raw.ask("subscribe:job", { job_id: LARGE });
  await until(() => expect(raw.told()).toContain("subscription:error"));
});
