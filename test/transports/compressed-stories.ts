/**
 * For tests: stories of what a server sends to clients that negotiated compression, in any order and to any of them, and
 * what each must have received in the end.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect } from "vitest";
import type { Message } from "#server/transports/sockets/chunks.ts";
import { createCompressedFrames } from "#server/transports/sockets/compressed-frames.ts";
import { Compression } from "#server/transports/sockets/compression.ts";
import type { DeflateTerms } from "#server/transports/sockets/deflate-offer.ts";
import { textFrame } from "#server/transports/sockets/text-frame.ts";
import {
  BoundedWebSocketServer,
  compressionOf,
} from "#server/transports/sockets/websocket-server.ts";

export interface Entry {
  /** Without heads. */
  messages: readonly string[];
}

export const createEntryFrames = () =>
  createCompressedFrames(({ messages }: Entry) => messages.map((text) => Buffer.from(text)));

/** A client as the server sees it, and everything that it should receive. */
export class Peer {
  readonly compression: Compression;
  /** By subscription. */
  readonly sent: (Message | undefined)[] = [];
  readonly #expected: string[] = [];
  #bytes: Buffer[] = [];

  constructor(compression = new Compression({ forgets: false, windowBits: undefined })) {
    this.compression = compression;
  }

  push(
    encode: ReturnType<typeof createEntryFrames>,
    entries: readonly Entry[],
    { head, of }: { head: string; of: number },
  ): void {
    for (const chunk of encode(entries, head, this.compression, this.sent[of])) {
      if (!this.compression.accepts(chunk)) throw new Error("It refers to what was not sent last.");
      this.sent[of] = this.compression.sent(chunk, this.sent[of]);
      this.#bytes.push(Buffer.from(chunk.bytes));
    }
    for (const { messages } of entries) this.#expected.push(...messages.map((each) => head + each));
  }

  pushPlain(text: string): void {
    this.#bytes.push(textFrame(text));
    this.#expected.push(text);
  }

  /** Returns what was sent since the last call. */
  taken(): { bytes: Buffer; expected: string[] } {
    const bytes = Buffer.concat(this.#bytes.splice(0));
    return { bytes, expected: this.#expected.splice(0) };
  }
}

/** Texts as JSON has them: without NUL, often alike, of sizes around each limit. */
const word = fc.oneof(
  fc.constantFrom("Fetching page", '"status":"PROCESSING"', "ünïcödé 🎈", "x"),
  fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.replaceAll("\0", "0")),
);
const body = fc
  .tuple(fc.array(word, { minLength: 1, maxLength: 6 }), fc.constantFrom(1, 1, 1, 2, 8, 40, 1200))
  .map(([words, times]) => `{"at":"${words.join(" ").repeat(times)}"}`);
const entry = fc
  .array(body, { minLength: 1, maxLength: 2 })
  .map((messages): Entry => ({ messages }));

export const PEERS: readonly Partial<DeflateTerms>[] = [
  {},
  {},
  { forgets: true },
  { windowBits: 8 },
  { windowBits: 9 },
  { windowBits: 12 },
  { windowBits: 15 },
];
const HEADS = ["", '{"id":1,', '{"id":23,', '{"id":"ß",', `{"id":"${"x".repeat(60)}",`];

/** `lists`: what the streams publish, in order. A watcher receives them from any place on, skips some, and may be cut off. */
const push = fc.record({
  peer: fc.nat(PEERS.length - 1),
  head: fc.constantFrom(...HEADS),
  of: fc.nat(2),
  list: fc.nat(9),
  from: fc.nat(2),
});
type Op =
  | { push: { peer: number; head: string; of: number; list: number; from: number } }
  | { all: number }
  | { plain: { peer: number; text: string } }
  | { tick: true };
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ push }) },
  { weight: 3, arbitrary: fc.record({ all: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: fc.record({ plain: fc.record({ peer: fc.nat(PEERS.length - 1), text: body }) }),
  },
  { weight: 2, arbitrary: fc.record({ tick: fc.constant(true as const) }) },
);
export const story = fc.tuple(
  fc.array(fc.array(entry, { minLength: 1, maxLength: 4 }), { minLength: 10, maxLength: 10 }),
  fc.array(op, { maxLength: 40 }),
);

export async function tell(
  peers: readonly Peer[],
  [lists, ops]: [readonly (readonly Entry[])[], readonly Op[]],
): Promise<void> {
  const encode = createEntryFrames();
  for (const each of ops) {
    if ("tick" in each) await setImmediate();
    else if ("plain" in each) peers[each.plain.peer]?.pushPlain(each.plain.text);
    else if ("all" in each) {
      for (const peer of peers) {
        peer.push(encode, lists[each.all] ?? [], { head: HEADS[1] ?? "", of: 0 });
      }
    } else {
      const { peer, list, from, ...how } = each.push;
      // A list of its own, whose entries others have received too.
      peers[peer]?.push(encode, (lists[list] ?? []).slice(from), how);
    }
  }
}

export const newPeer = ({ forgets = false, windowBits }: Partial<DeflateTerms>) =>
  new Peer(new Compression({ forgets, windowBits }));

/** A real client, and the connection to it. */
export interface Listener {
  readonly peer: Peer;
  readonly wire: Socket;
}

export interface StoryServer {
  readonly url: string;
  /** Resolves when the client that `connect` starts has connected and negotiated compression. */
  listener(connect: () => void): Promise<Listener>;
  close(): void;
}

/** A server that only negotiates; tests write to its connections. */
export async function openStoryServer(): Promise<StoryServer> {
  const server = createServer();
  const sockets = new BoundedWebSocketServer({ noServer: true, maxPayload: 1e6 }, true);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const open: Socket[] = [];
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async listener(connect) {
      const upgraded = once(server, "upgrade") as Promise<[IncomingMessage, Socket, Buffer]>;
      connect();
      const [req, wire, head] = await upgraded;
      open.push(wire);
      return new Promise((resolve) => {
        sockets.handleUpgrade(req, wire, head, (ws) => {
          const compression = compressionOf(ws);
          expect(compression).toBeDefined();
          resolve({ peer: new Peer(compression), wire });
        });
      });
    },
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
