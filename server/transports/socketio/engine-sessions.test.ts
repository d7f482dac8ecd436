import { afterEach, expect, test } from "vitest";
import { openPolling } from "#test/transports/socketio-raw-client.ts";
import { openTestServer, type TestServer, until } from "#test/transports/socketio.fixture.ts";

let server: TestServer;
afterEach(async () => {
  await server.close();
});

test("[H5] beyond the limit the oldest session that has not joined is closed, and no other", async () => {
  server = await openTestServer({ sessions: { max: 100, maxUnjoined: 3 } });
  const joined = server.connect({ transports: ["polling"] });
  await until(() => expect(joined.socket.connected).toBe(true));
  const idle = [];
  for (let n = 0; n < 5; n++) idle.push(await openPolling(server.url));
  const statuses = await Promise.all(idle.map(async (client) => (await client.post("40")).status));
  expect(statuses).toEqual([400, 400, 200, 200, 200]);
  expect(joined.socket.connected).toBe(true);
});

test("[H5] beyond the limit of all sessions none is opened; the refusal names the limit, and a session that ends frees a slot", async () => {
  server = await openTestServer({ sessions: { max: 2, maxUnjoined: 2 } });
  const clients = [server.connect(), server.connect()];
  await until(() => expect(clients.every(({ socket }) => socket.connected)).toBe(true));
  const refused = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
  expect(refused.status).toBe(403);
  expect(await refused.text()).toContain("limit of 2 Socket.IO sessions");
  clients[0]?.socket.disconnect();
  const next = server.connect({ reconnection: true, reconnectionDelay: 10 });
  await until(() => expect(next.socket.connected).toBe(true));
  next.socket.disconnect();
});
