/**
 * What every server under test does when it is told to, whatever it is made of: opens a port, emits events in bursts,
 * and tells what that cost its process. All of them emit the same content.
 */
import { setTimeout as delay } from "node:timers/promises";
import { answerCalls } from "#bench/program.ts";

/** How a client of a server gets to see its events. */
export interface Watch {
  path: string;
  /** What it sends, each once it was sent so many frames. */
  says: { after: number; text: string }[];
  /** Frames it is sent before the first event. */
  greeting: number;
}

export interface Opening {
  /** Jobs that emit, in turn. */
  jobs: number;
}

export interface Opened {
  port: number;
  /** By the name of the protocol. Where there are several jobs, all are watched on one connection. */
  watches: Record<string, Watch>;
}

export interface Burst {
  events: number;
  /** So many are emitted in one tick. */
  perTick: number;
  /** Pause between ticks, in milliseconds. */
  everyMs: number;
  /** Length of each message, in characters. */
  length?: number;
  /** All messages are the same: nobody measures how long they are under way, and making them shall cost nothing. */
  alike?: boolean;
}

export interface Memory {
  rss: number;
  /** What the heap holds, and buffers outside of it. */
  held: number;
}

export interface Peer {
  open(opening: Opening): Promise<Opened>;
  /** Resolves to how long it took, in milliseconds, once all is emitted. */
  emit(burst: Burst): Promise<number>;
  /** Microseconds that this process has computed, so far. */
  cpu(): number | Promise<number>;
  /** Bytes. After garbage was collected and its pages were given back, which V8 does by itself when it is idle. */
  memory(): Promise<Memory>;
}

/** What a server is made of. */
export interface PeerParts {
  opened: Opened;
  /** Emits these in one tick. */
  emit(messages: readonly string[]): Promise<void> | void;
  /** Where the server is another process than this one. */
  cpu?(): number;
  memory?(): Memory;
  close?(): Promise<void> | void;
}

const MESSAGE_LENGTH = 60;

export function servePeer(openParts: (opening: Opening) => Promise<PeerParts>): void {
  let parts: PeerParts | undefined;
  const opened = (): PeerParts => {
    if (parts === undefined) throw new Error("The server was not opened.");
    return parts;
  };

  const peer: Peer = {
    async open(opening) {
      parts = await openParts(opening);
      return parts.opened;
    },
    async emit({ events, perTick, everyMs, length = MESSAGE_LENGTH, alike = false }) {
      const { emit } = opened();
      const same = messageOf(0, length);
      const begin = performance.now();
      for (let sent = 0; sent < events; sent += perTick) {
        const count = Math.min(perTick, events - sent);
        await emit(
          Array.from({ length: count }, (_, i) => (alike ? same : messageOf(sent + i, length))),
        );
        if (everyMs > 0) await delay(everyMs);
        else await new Promise((resolve) => setImmediate(resolve));
      }
      return performance.now() - begin;
    },
    cpu() {
      const ofOther = opened().cpu?.();
      if (ofOther !== undefined) return ofOther;
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    async memory() {
      const ofOther = opened().memory?.();
      if (ofOther !== undefined) return ofOther;
      for (let i = 0; i < 3; i += 1) {
        globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
        await delay(50);
      }
      const { rss, heapUsed, external } = process.memoryUsage();
      return { rss, held: heapUsed + external };
    },
  };
  answerCalls(peer, () => parts?.close?.());
}

/** Says when it was made, for who measures how long it was under way. */
function messageOf(n: number, length: number): string {
  return `Step ${n} sent ${process.hrtime.bigint()} `.padEnd(length, "-");
}
