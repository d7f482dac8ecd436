/**
 * Writes frames to the socket below a WebSocket, so that pushing is cheap and bounded (S7).
 *
 * Any number of sockets share the bytes of a frame, which is encoded once. All frames of one tick for one socket are one
 * write, and sockets with the same frames share its bytes too. Writing past `ws` is safe because \`ws\` compresses nothing
 * (\`websocket-server.ts\`): it then writes each frame at once and whole.
 *
 * A Node socket accepts every write and buffers it until the peer reads. So callers check `isFull()` first: a writer is
 * full at its high-water mark, and drains when the kernel took everything. The writer reads the socket's own count,
 * because `ws` and Engine.IO also write to the socket. A full socket from which the kernel takes nothing for the stall
 * timeout has stalled; its owner closes it, and the client reconnects with its cursor.
 */
import type { Duplex } from "node:stream";
import { joined } from "./chunks.ts";
import { unsentBytes } from "./unsent-bytes.ts";

export interface SocketWriter {
  /** Accepts one whole frame, even when full. Sends it at the end of the tick. */
  write(frame: Uint8Array): void;
  /** Sends the written frames now, so that another writer to the socket cannot overtake them. */
  flush(): void;
  /** True at or above the high-water mark. After `true`, `onDrain()` fires once the kernel took everything. */
  isFull(): boolean;
  /**
   * For a caller that stops below the mark: the writer counts as full until the kernel took everything written so far,
   * so `onDrain()` or `onStall()` fires.
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
  /** How many writers are full now, and how many have stalled so far. */
  count(): { full: number; stalled: number };
  close(): void;
}

export interface WriterLimits {
  /** Unsent bytes at which a writer is full. */
  highWaterBytes: number;
  /** Milliseconds. One timer checks all writers four times in this period, so a stall is noticed up to a quarter late. */
  stallTimeoutMs: number;
}

export function openSocketWriters(limits: WriterLimits): SocketWriters {
  const group = new WriterGroup(limits.stallTimeoutMs);
  return {
    open: (socket, hooks) => new DuplexWriter(group, socket, hooks, limits.highWaterBytes),
    count: () => ({ full: group.full.size, stalled: group.stalled }),
    close: () => group.close(),
  };
}

/** All writers share one: it flushes at the end of the tick, and checks for stalls. */
class WriterGroup {
  readonly #stallTimeoutMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly full = new Map<DuplexWriter, { unsent: number; since: number }>();
  stalled = 0;
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
        this.stalled += 1;
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
  readonly #group: WriterGroup;
  readonly #mark: number;
  /** Frames that wait for the end of the tick. */
  #frames: Uint8Array[] | undefined;
  #bytes = 0;
  /** The listener on the socket, while one is needed. */
  #drainListener: (() => void) | undefined;

  constructor(group: WriterGroup, socket: Duplex, hooks: WriterHooks, highWaterBytes: number) {
    this.socket = socket;
    this.hooks = hooks;
    this.#group = group;
    // A socket emits no "drain" below its own mark.
    this.#mark = Math.max(highWaterBytes, socket.writableHighWaterMark);
  }

  write(frame: Uint8Array): void {
    this.#bytes += frame.length;
    if (this.#frames !== undefined) return void this.#frames.push(frame);
    this.#frames = [frame];
    this.#group.flushSoon(this);
  }

  flush(): void {
    const frames = this.take();
    if (frames.length > 0) this.send(joined(frames));
  }

  isFull(): boolean {
    const { writableLength, writableNeedDrain } = this.socket;
    if (writableLength + this.#bytes < this.#mark) return false;
    // `ws` and Engine.IO write to the socket too.
    if (writableNeedDrain) this.#listen();
    this.#fill();
    return true;
  }

  waitForDrain(): void {
    this.#fill();
    // A socket emits no "drain" below its own mark, but calls back once this write, after all others, is done.
    this.socket.write(NOTHING, () => this.#drain());
  }

  release(): void {
    if (this.#drainListener !== undefined) this.socket.off("drain", this.#drainListener);
    this.#group.full.delete(this);
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
    } else if (this.#group.full.has(this)) {
      // A socket emits no "drain" after a write that the kernel took at once.
      process.nextTick(() => this.#drain());
    }
  }

  /** Added on demand: most sockets are never full. */
  #listen(): void {
    if (this.#drainListener !== undefined) return;
    this.#drainListener = () => this.#drain();
    this.socket.once("drain", this.#drainListener);
  }

  #fill(): void {
    const { full } = this.#group;
    if (full.has(this)) return;
    full.set(this, { unsent: unsentBytes(this.socket), since: performance.now() });
  }

  #drain(): void {
    this.#drainListener = undefined;
    if (this.#group.full.delete(this)) this.hooks.onDrain();
  }
}

function isSame(frames: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return frames.length === others.length && frames.every((frame, at) => frame === others[at]);
}
