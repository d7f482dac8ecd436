/**
 * The way into a WebSocket's own socket, and how full it is: what makes pushing cheap and bounded (S7).
 *
 * A frame is made once and written as it is, to however many sockets. What falls into one tick for one socket is
 * one write, and sockets that get the same share its bytes. That is safe beside `ws`: without compression, which is
 * off, it too writes each frame at once and whole.
 *
 * A socket takes whatever it is given and keeps it in memory until the other side reads. So each writer asks for room
 * first: there is none above the high-water mark, and there is again when all of it was taken. The socket itself is
 * asked, because `ws` and Engine.IO write to it too. A socket from which nothing was taken for too long is reported, to be
 * closed: its client comes back with its cursor.
 */
import type { Duplex } from "node:stream";
import { joined } from "./chunks.ts";
import { unsentBytes } from "./unsent-bytes.ts";

export interface SocketWriter {
  /** Takes one whole frame in any case. It is on its way at the end of the tick. */
  write(frame: Uint8Array): void;
  /** Sends on its way what was written: before somebody else writes to the socket, who must not overtake it. */
  flush(): void;
  /** After `false` there is word when there is room. */
  hasRoom(): boolean;
  /**
   * For a writer that stops below the mark: there is word of room when everything before was taken, and of a stall where
   * nothing is.
   */
  stopUntilEmpty(): void;
  /** Lets go of the socket, which stays open. */
  release(): void;
}

export interface WriterHooks {
  /** There is room again after there was none. */
  room(): void;
  /** Nothing was taken for the whole time-out while there was no room. */
  stalled(): void;
}

export interface SocketWriters {
  open(socket: Duplex, hooks: WriterHooks): SocketWriter;
  close(): void;
}

export interface WriterLimits {
  /** Bytes that wait for one socket before nothing more is written to it. */
  highWaterBytes: number;
  /** Milliseconds. Several are looked at together, so that it may be a quarter later. */
  stallTimeoutMs: number;
}

export function openSocketWriters(limits: WriterLimits): SocketWriters {
  const shared = new Shared(limits.stallTimeoutMs);
  return {
    open: (socket, hooks) => new DuplexWriter(shared, socket, hooks, limits.highWaterBytes),
    close: () => shared.close(),
  };
}

/** What all writers have in common: the end of the tick, and the look at those that are full. */
class Shared {
  readonly #stallTimeoutMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly full = new Map<DuplexWriter, { unsent: number; since: number }>();
  #waiting: DuplexWriter[] = [];

  constructor(stallTimeoutMs: number) {
    this.#stallTimeoutMs = stallTimeoutMs;
    this.#timer = setInterval(() => this.#look(), stallTimeoutMs / 4).unref();
  }

  flushSoon(writer: DuplexWriter): void {
    if (this.#waiting.push(writer) === 1) process.nextTick(() => this.#flush());
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #flush(): void {
    const all = this.#waiting;
    this.#waiting = [];
    let bytes: Uint8Array | undefined;
    let parts: readonly Uint8Array[] = [];
    for (const writer of all) {
      const frames = writer.take();
      if (frames.length === 0) continue;
      if (bytes === undefined || !isSame(frames, parts)) {
        parts = frames;
        bytes = joined(frames);
      }
      writer.send(bytes);
    }
  }

  #look(): void {
    const now = performance.now();
    for (const [writer, state] of this.full) {
      const unsent = unsentBytes(writer.socket);
      if (unsent !== state.unsent) {
        state.unsent = unsent;
        state.since = now;
      } else if (now - state.since >= this.#stallTimeoutMs) {
        this.full.delete(writer);
        writer.hooks.stalled();
      }
    }
  }
}

const NONE: readonly Uint8Array[] = [];
const NOTHING = Buffer.alloc(0);

class DuplexWriter implements SocketWriter {
  readonly socket: Duplex;
  readonly hooks: WriterHooks;
  readonly #shared: Shared;
  readonly #mark: number;
  /** What waits for the end of the tick. */
  #frames: Uint8Array[] | undefined;
  #bytes = 0;
  /** While the socket has something that the kernel did not take: it says when it has not. */
  #onDrain: (() => void) | undefined;

  constructor(shared: Shared, socket: Duplex, hooks: WriterHooks, highWaterBytes: number) {
    this.socket = socket;
    this.hooks = hooks;
    this.#shared = shared;
    // Below its own mark a socket does not say when it was emptied.
    this.#mark = Math.max(highWaterBytes, socket.writableHighWaterMark);
  }

  write(frame: Uint8Array): void {
    this.#bytes += frame.length;
    if (this.#frames !== undefined) return void this.#frames.push(frame);
    this.#frames = [frame];
    this.#shared.flushSoon(this);
  }

  flush(): void {
    const frames = this.take();
    if (frames.length > 0) this.send(joined(frames));
  }

  hasRoom(): boolean {
    const { writableLength, writableNeedDrain } = this.socket;
    if (writableLength + this.#bytes < this.#mark) return true;
    // Not all that waits was written here.
    if (writableNeedDrain) this.#listen();
    this.#nowFull();
    return false;
  }

  stopUntilEmpty(): void {
    this.#nowFull();
    // Below its own mark a socket does not say when it was emptied; it says when a write after all others was taken.
    this.socket.write(NOTHING, () => this.#nowEmpty());
  }

  release(): void {
    if (this.#onDrain !== undefined) this.socket.off("drain", this.#onDrain);
    this.#shared.full.delete(this);
  }

  /** What waits, which is to be sent now. */
  take(): readonly Uint8Array[] {
    const frames = this.#frames;
    this.#frames = undefined;
    this.#bytes = 0;
    return frames ?? NONE;
  }

  send(bytes: Uint8Array): void {
    if (!this.socket.write(bytes)) {
      this.#listen();
      if (this.socket.writableLength >= this.#mark) this.#nowFull();
    } else if (this.#shared.full.has(this)) {
      // What was taken at once does not make the socket say that it was emptied.
      process.nextTick(() => this.#nowEmpty());
    }
  }

  /** Most sockets never are behind, and cost no listener. */
  #listen(): void {
    if (this.#onDrain !== undefined) return;
    this.#onDrain = () => this.#nowEmpty();
    this.socket.once("drain", this.#onDrain);
  }

  #nowFull(): void {
    const { full } = this.#shared;
    if (full.has(this)) return;
    full.set(this, { unsent: unsentBytes(this.socket), since: performance.now() });
  }

  #nowEmpty(): void {
    this.#onDrain = undefined;
    if (this.#shared.full.delete(this)) this.hooks.room();
  }
}

function isSame(frames: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return frames.length === others.length && frames.every((frame, at) => frame === others[at]);
}
