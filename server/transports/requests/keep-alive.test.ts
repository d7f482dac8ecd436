import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { expect, test, vi } from "vitest";
import { createKeepAlive } from "./keep-alive.ts";
import { openRawServer } from "#test/transports/raw-server.fixture.ts";

/** The test decides when `/held` is answered and `/events` ends. */
async function serve() {
  const held: ServerResponse[] = [];
  const raw = await openRawServer();
  const keepAlive = createKeepAlive(raw.server);
  raw.server.on("request", (req, res) => {
    if (req.url === "/at-once") return void res.end("at once");
    held.push(res);
    if (req.url === "/events") res.writeHead(200, { "Content-Type": "text/event-stream" });
    if (req.url === "/events") res.write("data: 1\n\n");
  });

  /** A kept-alive connection: everything it received, and a flag that is true once the server has ended it. */
  function connect() {
    const client = { told: "", ended: false, ask };
    const socket = raw.connect().setEncoding("latin1");
    socket.on("data", (chunk: string) => (client.told += chunk));
    socket.on("end", () => (client.ended = true));
    function ask(path: string): void {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    }
    return client;
  }
  return { keepAlive, held, connect };
}

const CLOSE = /^connection: close\r$/im;

test("before the end connections are kept", async () => {
  const { connect } = await serve();
  const client = connect();
  for (const times of [1, 2]) {
    client.ask("/at-once");
    await vi.waitFor(() => expect(client.told.match(/at once/g)).toHaveLength(times));
  }
  expect(client.told).not.toMatch(CLOSE);
  expect(client.ended).toBe(false);
});

test("a request that arrives afterwards gets an answer that announces the end of the connection", async () => {
  const { connect, keepAlive } = await serve();
  const client = connect();
  client.ask("/at-once");
  await vi.waitFor(() => expect(client.told).toContain("at once"));
  keepAlive.end();
  client.ask("/at-once");
  await vi.waitFor(() => expect(client.ended).toBe(true));
  expect(client.told.match(/at once/g)).toHaveLength(2);
  expect(client.told).toMatch(CLOSE);
});

test("an earlier request that is answered afterwards gets such an answer too", async () => {
  const { connect, held, keepAlive } = await serve();
  const client = connect();
  client.ask("/held");
  await vi.waitFor(() => expect(held).toHaveLength(1));
  keepAlive.end();
  held[0]?.end("at last");
  await vi.waitFor(() => expect(client.ended).toBe(true));
  expect(client.told).toMatch(CLOSE);
  expect(client.told).toContain("at last");
});

test("the connection of an event stream ends with it", async () => {
  const { connect, held, keepAlive } = await serve();
  const client = connect();
  client.ask("/events");
  await vi.waitFor(() => expect(client.told).toContain("data: 1"));
  keepAlive.end();
  held[0]?.end("data: 2\n\n");
  await vi.waitFor(() => expect(client.ended).toBe(true));
  expect(client.told).toContain("data: 2");
});

test("the answer to one client does not end the connection of another", async () => {
  const { connect, held, keepAlive } = await serve();
  const [polling, watching] = [connect(), connect()];
  polling.ask("/at-once");
  watching.ask("/events");
  await vi.waitFor(() => expect(polling.told).toContain("at once"));
  await vi.waitFor(() => expect(watching.told).toContain("data: 1"));
  keepAlive.end();
  const [stream] = held;
  stream?.end();
  if (stream) await once(stream, "close");
  await vi.waitFor(() => expect(watching.ended).toBe(true));
  expect(polling.ended).toBe(false);
  polling.ask("/at-once");
  await vi.waitFor(() => expect(polling.told.match(/at once/g)).toHaveLength(2));
});
