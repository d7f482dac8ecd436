import { afterEach, expect, test } from "vitest";
import { openPolling } from "#test/transports/socketio-raw-client.ts";
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
