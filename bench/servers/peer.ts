/**
 * The interface of every server under test: opens a port, emits events in bursts, and reports the cost to its process.
 * All servers emit the same content.
 */
import { setTimeout as delay } from "node:timers/promises";
import { answerCalls } from "#bench/program.ts";

/** How a client subscribes to a server's events. */
export interface Watch {
  path: string;
  /** Headers of the handshake, such as credentials. */
  headers?: Record<string, string>;
  /** Messages of the client, each sent after the given number of received frames. */
  says: { after: number; text: string }[];
  /** Frames that the client receives before the first event. */
  greeting: number;
}

export interface Opening {
  /** Number of jobs, which emit round-robin. */
  jobs: number;
  /** Headers of the caller that creates and watches the jobs. */
  headers?: Record<string, string>;
  /** Bytes of JSON of the details in each event. By default it has none. */
  details?: number;
  /** Compress messages for clients that ask for it. Jobwire always does. */
  deflate?: boolean;
}

export interface Opened {
  port: number;
  /** By protocol. Several jobs are watched on one connection. */
  watches: Record<string, Watch>;
}

export interface Burst {
  events: number;
  /** Events that are emitted in one tick. */
  perTick: number;
  /** Pause between ticks, in milliseconds. */
  everyMs: number;
  /** Length of each message, in characters. */
  length?: number;
  /** Sends identical messages: cheaper to create, but without timestamps for latency. */
  alike?: boolean;
  /**
   * Keeps the pace, and stamps each event with the time at which it is due: what delays its emission counts as latency too.
   * By default, an event is stamped when it is emitted.
   */
  onTime?: boolean;
}

export interface Memory {
  rss: number;
  /** Heap in use and external buffers. */
  held: number;
}

export interface Peer {
  open(opening: Opening): Promise<Opened>;
  /** Resolves to the elapsed milliseconds once all events are emitted. */
  emit(burst: Burst): Promise<number>;
  /** Milliseconds from the stamp of each event of the last burst to its commit. Empty if the server stores none. */
  commits(): number[];
  /** CPU time of the server process so far, in microseconds. */
  cpu(): number | Promise<number>;
  /** Bytes after a garbage collection that also returns pages, as V8 does when idle. */
  memory(): Promise<Memory>;
}

/** The parts of a server that differ between peers. */
export interface PeerParts {
  opened: Opened;
  /** Emits these messages in one tick. May return when they were committed, in nanoseconds. */
  emit(messages: readonly string[]): Promise<bigint | undefined | void> | void;
  /** For servers in another process than this one. */
  cpu?(): number;
  memory?(): Memory;
  close?(): Promise<void> | void;
}

const MESSAGE_LENGTH = 60;

export function servePeer(openParts: (opening: Opening) => Promise<PeerParts>): void {
  let parts: PeerParts | undefined;
  let commits: number[] = [];
  const opened = (): PeerParts => {
    if (parts === undefined) throw new Error("The server was not opened.");
    return parts;
  };

  const peer: Peer = {
    async open(opening) {
      parts = await openParts(opening);
      return parts.opened;
    },
    async emit({ events, perTick, everyMs, length = MESSAGE_LENGTH, alike = false, onTime }) {
      const { emit } = opened();
      const same = messageOf(0, length, now());
      const begin = now();
      commits = [];
      for (let sent = 0; sent < events; sent += perTick) {
        const count = Math.min(perTick, events - sent);
        const at = onTime === true ? begin + msToNs((sent / perTick) * everyMs) : now();
        const committed = await emit(
          Array.from({ length: count }, (_, i) => (alike ? same : messageOf(sent + i, length, at))),
        );
        if (typeof committed === "bigint") {
          commits.push(...Array.from({ length: count }, () => nsToMs(committed - at)));
        }
        if (everyMs > 0) {
          await delay(onTime === true ? Math.max(0, nsToMs(at - now()) + everyMs) : everyMs);
        } else await new Promise((resolve) => setImmediate(resolve));
      }
      return nsToMs(now() - begin);
    },
    commits: () => commits,
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

const now = () => process.hrtime.bigint();
const msToNs = (ms: number) => BigInt(Math.round(ms * 1e6));
const nsToMs = (ns: bigint) => Number(ns) / 1e6;

/** Contains a time in nanoseconds, from which watchers compute the latency. */
function messageOf(n: number, length: number, at: bigint): string {
  return `Step ${n} sent ${at} `.padEnd(length, "-");
}
