/** Compression for Socket.IO clients: those with and without it receive the same. */
import { deflateRawSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { createInflater } from "#test/transports/deflate-client.ts";
import { clientFrame, openRawWebSocket } from "#test/transports/raw-websocket.ts";
import {
  createJob,
  openTestServer,
  startJob,
  type TestServer,
  until,
} from "#test/transports/socketio.fixture.ts";

const TEXT = 0x81;
const CLIENTS = [
  { offer: undefined, terms: {} },
  { offer: "permessage-deflate; client_max_window_bits", terms: {} },
  { offer: "permessage-deflate; server_no_context_takeover", terms: { takeover: false } },
];

let server: TestServer;
afterEach(() => server.close());

async function open({ offer, terms }: (typeof CLIENTS)[number]) {
  const raw = await openRawWebSocket(server.url, {
    path: "/socket.io/?EIO=4&transport=websocket",
    ...(offer !== undefined && { extensions: offer }),
  });
  const inflate = createInflater(terms);
  const packets: { text: string; compressed: boolean }[] = [];
  return {
    send: (packet: string) => raw.send(clientFrame(TEXT, Buffer.from(packet))),
    packets() {
      for (const frame of raw.frames.slice(packets.length)) {
        packets.push({ text: inflate(frame), compressed: frame.compressed });
      }
      return packets;
    },
    /** The events of jobs. */
    events: () => packets.filter(({ text }) => text.startsWith('42["job:')),
  };
}

test("[Z1] [Z2] [Z3] clients receive the same with compression and without, and only events are compressed", async () => {
  server = await openTestServer();
  const jobIds = [await createJob(server.engine), await createJob(server.engine)];
  const clients = await Promise.all(CLIENTS.map(open));
  for (const { send, packets } of clients) {
    send("40");
    await until(() => expect(packets().some(({ text }) => text.includes("session_id"))).toBe(true));
    for (const job_id of jobIds) send(`42["subscribe:job",${JSON.stringify({ job_id })}]`);
    await until(() => {
      packets();
      expect(
        clients.length > 0 && packets().filter(({ text }) => text.startsWith('42["job:')),
      ).toHaveLength(2);
    });
  }
  const [first, second] = await Promise.all(jobIds.map((id) => startJob(server.engine, id)));
  for (let n = 20; n < 60; n += 5) {
    await Promise.all([first?.progress(n), first?.progress(n + 1), first?.progress(n + 2)]);
    await second?.progress(n);
    // The answers of Socket.IO and Engine.IO go through their own queue.
    for (const { send } of clients) send('42["subscribe:job",{}]');
  }
  await first?.deliver();
  await second?.fail("It went wrong");
  await until(() => {
    for (const { packets } of clients) {
      const texts = packets().map(({ text }) => text);
      expect(texts.some((text) => text.startsWith('42["job:completed"'))).toBe(true);
      expect(texts.at(-1)).toMatch(/ABORTED|subscription:error/);
      expect(texts.filter((text) => text.includes("ABORTED")).length).toBeGreaterThan(1);
    }
  });
  const [plain, ...compressed] = clients.map(({ events }) => events());
  const of = (events: typeof plain, jobId: string | undefined) =>
    events?.filter(({ text }) => text.includes(jobId ?? "")).map(({ text }) => text);
  for (const jobId of jobIds) {
    expect(of(plain, jobId)?.length).toBeGreaterThan(8);
    for (const events of compressed) expect(of(events, jobId)).toEqual(of(plain, jobId));
  }
  for (const [n, { packets }] of clients.entries()) {
    const others = packets().filter(({ text }) => !text.startsWith('42["job:'));
    expect(others.some((each) => each.compressed)).toBe(false);
    const share = (compressed[n - 1] ?? []).filter((each) => each.compressed).length;
    expect(share).toBeGreaterThanOrEqual(n === 0 ? 0 : 15);
  }
});

test("[Z4] a bomb ends its own session, before it has joined and after, and at the path without compression too", async () => {
  server = await openTestServer();
  const bomb = deflateRawSync(Buffer.alloc(1024 * 1024, "["));
  const other = await open(CLIENTS[1] as (typeof CLIENTS)[number]);
  for (const [path, sent, code] of [
    ["socket.io", [], 1009],
    ["socket.io", [clientFrame(TEXT, Buffer.from("40"))], 1009],
    ["socket.io-msgpack", [], 1002],
  ] as const) {
    const raw = await openRawWebSocket(server.url, {
      path: `/${path}/?EIO=4&transport=websocket`,
      extensions: "permessage-deflate",
    });
    raw.send(...sent, clientFrame(0xc1, bomb));
    expect(await raw.closed).toBe(code);
  }
  other.send("40");
  await until(() => expect(other.packets().some(({ text }) => text.startsWith("40"))).toBe(true));
  const sessions = () =>
    server.transport.usage?.().reduce((sum, { open: count }) => sum + count, 0);
  await until(() => expect(sessions()).toBe(1));
  expect(server.faults).toEqual([]);
});
