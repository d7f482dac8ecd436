import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { me } from "#test/jobs/acting.ts";
import {
  type Link,
  openClient,
  openTestServer,
  type TestServer,
  watchBatch,
  watchDraft,
  watchFeed,
  watchJob,
} from "#test/transports/trpc.fixture.ts";

const LINKS: Link[] = ["ws", "sse"];

async function watchAll(url: string, link: Link, fixture: TestServer["fixture"]) {
  const client = openClient(url, link);
  const { id: batchId } = await fixture.jobs.createBatch(me, {
    jobs: [{ kind: "work", input: {} }],
  });
  const jobId = await fixture.create();
  return [
    watchJob(client, { jobId }),
    watchDraft(client, { jobId }),
    watchBatch(client, { batchId }),
    watchFeed(client),
  ];
}

describe.each(LINKS)("a watcher over %s", (link) => {
  test("[S7] that unsubscribes leaves no watch", async () => {
    const { url, fixture, watches } = await openTestServer();
    const notes = await watchAll(url, link, fixture);
    await eventually(() => expect(watches()).toBe(4));
    for (const each of notes) each.unsubscribe();
    await eventually(() => expect(watches()).toBe(0));
  });

  test("that leaves before its watch has opened leaves no watch", async () => {
    const { url, fixture, watches } = await openTestServer();
    const jobId = await fixture.create();
    const client = openClient(url, link);
    for (let n = 0; n < 50; n++) watchJob(client, { jobId }).unsubscribe();
    const last = watchJob(client, { jobId });
    await eventually(() => expect(last.ids).toEqual(["1"]));
    await eventually(() => expect(watches()).toBe(1));
  });
});

/** A client that subscribes and then stops reading. */
async function openStalled(url: string, link: Link, jobId: string): Promise<Socket> {
  const input = encodeURIComponent(JSON.stringify({ json: { jobId, lastEventId: "0" } }));
  const head = `HTTP/1.1\r\nHost: ${new URL(url).host}\r\n`;
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  if (link === "sse") {
    socket.write(`GET /trpc/job.onUpdate?input=${input} ${head}Accept: text/event-stream\r\n\r\n`);
    await once(socket, "data");
  } else {
    socket.write(
      `GET /trpc ${head}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${"x".repeat(22)}==\r\n\r\n`,
    );
    await once(socket, "data");
    const params = { path: "job.onUpdate", input: { json: { jobId, lastEventId: "0" } } };
    socket.write(frame(JSON.stringify({ id: 1, method: "subscription", params })));
  }
  socket.pause();
  return socket;
}

/** A masked text frame of less than 64 KiB; the mask is zero. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.from([
    0x81,
    0x80 | 126,
    payload.length >> 8,
    payload.length & 0xff,
    0,
    0,
    0,
    0,
  ]);
  return Buffer.concat([head, payload]);
}

describe("a socket whose peer vanished silently", () => {
  test("is ended by the keep-alive, with its watches", async () => {
    const { url, fixture, sockets, watches } = await openTestServer({
      ping: { intervalMs: 20, timeoutMs: 40 },
    });
    const jobId = await fixture.create();
    const alive = watchJob(openClient(url, "ws"), { jobId });
    await eventually(() => expect(alive.ids).toEqual(["1"]));
    const dead = await openStalled(url, "ws", jobId);
    const theirEnd = sockets.at(-1);
    await eventually(() => expect(theirEnd?.destroyed).toBe(true));
    await eventually(() => expect(watches()).toBe(1));
    expect(dead.destroyed).toBe(false);
    await fixture.jobs.decide(me, jobId, "cancel");
    await eventually(() => expect(alive.state).toBe("complete"));
    expect(alive.ids).toEqual(["1", "2"]);
  });
});

describe("a server that stops", () => {
  test("tells every WebSocket client to reconnect, ends SSE, and leaves nothing open", async () => {
    const server = await openTestServer();
    const { url, fixture, watches } = server;
    const notes = [
      ...(await watchAll(url, "ws", fixture)),
      ...(await watchAll(url, "sse", fixture)),
    ];
    await eventually(() => expect(watches()).toBe(8));
    const raw = new WebSocket(`${url.replace("http", "ws")}/trpc`);
    const told: string[] = [];
    raw.on("message", (data: Buffer) => told.push(data.toString()));
    await once(raw, "open");
    raw.send(
      JSON.stringify({ id: 1, method: "query", params: { path: "system.info", input: {} } }),
    );
    await eventually(() => expect(told.splice(0)).toHaveLength(1));
    const gone = once(raw, "close");
    const before = [...server.sockets];
    await server.restart();
    expect(told).toEqual(['{"id":null,"method":"reconnect"}']);
    expect((await gone)[0]).toBe(1001);
    expect(before.every(({ destroyed }) => destroyed)).toBe(true);
    await eventually(() => expect(watches()).toBe(8));
    expect(notes.flatMap(({ errors }) => errors)).toEqual([]);
  });

  test("does not wait for sockets that do not answer", async () => {
    const server = await openTestServer();
    const jobId = await server.fixture.create();
    const deaf = await openStalled(server.url, "ws", jobId);
    await eventually(() => expect(server.watches()).toBe(1));
    await server.restart();
    expect(deaf.destroyed).toBe(false);
    expect(server.watches()).toBe(0);
  });
});
