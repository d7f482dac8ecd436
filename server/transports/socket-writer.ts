/**
 * Writes frames to the socket below a WebSocket: what makes pushing cheap and bounded (S7).
 *
 * A frame is encoded once and written as it is to any number of sockets. The frames of one tick for one socket are one
 * write, and sockets that get the same frames share its bytes. That is safe beside `ws`: without compression, which is
 * off, `ws` too writes each frame at once and whole.
 *
 * A socket takes every write and keeps it in memory until the other side reads. So callers ask `isFull()` first: a writer
 * is full at its high-water mark, and drains when the kernel took everything. It asks the socket itself, because `ws` and
 * Engine.IO write there too. A full socket from which the kernel takes nothing for too long stalls; its owner closes it,
 * and the client comes back with its cursor.
 */
import type { Duplex } from "node:stream";
import { joined } from "./chunks.ts";
import { unsentBytes } from "./unsent-bytes.ts";

export interface SocketWriter {
  /** Takes one whole frame, also when it is full. Sends it at the end of the tick. */
  write(frame: Uint8Array): void;
  /** Sends the written frames now, so that another writer to the socket cannot overtake them. */
  flush(): void;
  /** At or above the high-water mark. After `true`, `onDrain()` fires once the kernel took everything. */
  isFull(): boolean;
  /**
   * For a caller that stops below the mark: the writer counts as full until the kernel took everything before, so
   * `onDrain()` or `onStall()` fires.
   */
  waitForDrain(): void;
  /** Detaches from the socket, which stays open. */
  release(): void;
}

export interface WriterHooks {
  /** The writer was full, and the kernel took everything. */
  onDrain(): void;
  /** The writer is full, and the kernel took nothing for the whole time-out. */
  onStall(): void;
}

export interface SocketWriters {
  open(socket: Duplex, hooks: WriterHooks): SocketWriter;
  close(): void;
}

export interface WriterLimits {
  /** Unsent bytes at which a writer is full. */
  highWaterBytes: number;
  /** Milliseconds. All writers are checked together, four times in it, so a stall is noticed up to a quarter later. */
  stallTimeoutMs: number;
}

export function openSocketWriters(limits: WriterLimits): SocketWriters {
  const shared = new Shared(limits.stallTimeoutMs);
  return {
    open: (socket, hooks) => new DuplexWriter(shared, socket, hooks, limits.highWaterBytes),
    close: () => shared.close(),
  };
}

/** Shared by all writers: the flush at the end of the tick, and the check for stalls. */
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
        writer.hooks.onStall();
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
  /** Frames that wait for the end of the tick. */
  #frames: Uint8Array[] | undefined;
  #bytes = 0;
  /** The listener on the socket, while one is needed. */
  #drainListener: (() => void) | undefined;

  constructor(shared: Shared, socket: Duplex, hooks: WriterHooks, highWaterBytes: number) {
    this.socket = socket;
    this.hooks = hooks;
    this.#shared = shared;
    // A socket emits no "drain" below its own mark.
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

  isFull(): boolean {
    const { writableLength, writableNeedDrain } = this.socket;
    if (writableLength + this.#bytes < this.#mark) return false;
    // Others write to the socket too.
    if (writableNeedDrain) this.#listen();
    this.#fill();
    return true;
  }

  waitForDrain(): void {
    this.#fill();
    // A socket emits no "drain" below its own mark, but calls back once a write after all others is done.
    this.socket.write(NOTHING, () => this.#drain());
  }

  release(): void {
    if (this.#drainListener !== undefined) this.socket.off("drain", this.#drainListener);
    this.#shared.full.delete(this);
  }

  /** Removes and returns the waiting frames. */
  take(): readonly Uint8Array[] {
    const frames = this.#frames;
    this.#frames = undefined;
    this.#bytes = 0;
    return frames ?? NONE;
  }

  send(bytes: Uint8Array): void {
    if (!this.socket.write(bytes)) {
      this.#listen();
      if (this.socket.writableLength >= this.#mark) this.#fill();
    } else if (this.#shared.full.has(this)) {
      // A socket emits no "drain" after a write that the kernel took at once.
      process.nextTick(() => this.#drain());
    }
  }

  /** Most sockets are never full, and cost no listener. */
  #listen(): void {
    if (this.#drainListener !== undefined) return;
    this.#drainListener = () => this.#drain();
    this.socket.once("drain", this.#drainListener);
  }

  #fill(): void {
    const { full } = this.#shared;
    if (full.has(this)) return;
    full.set(this, { unsent: unsentBytes(this.socket), since: performance.now() });
  }

  #drain(): void {
    this.#drainListener = undefined;
    if (this.#shared.full.delete(this)) this.hooks.onDrain();
  }
}

function isSame(frames: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return frames.length === others.length && frames.every((frame, at) => frame === others[at]);
}
