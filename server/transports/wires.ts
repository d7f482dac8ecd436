/**
 * The way into a WebSocket's own socket, and how full it is: what makes pushing cheap and bounded (S7).
 *
 * A frame is made once and written as it is, to however many sockets. What falls into one tick for one socket is
 * one write, and sockets that get the same share its bytes. That is safe beside `ws`: without compression, which is
 * off, it too writes each frame at once and whole.
 *
 * A socket takes whatever it is given and keeps it in memory until the other side reads. So whoever writes asks for
 * room first: there is none above the high-water mark, and there is again when all of it was taken. A socket from
 * which nothing was taken for too long is reported, to be closed: its client comes back with its cursor.
 */
import type { Duplex } from "node:stream";
import { unsentBytes } from "./unsent-bytes.ts";

export interface Wire {
  /** Takes one whole frame in any case. It is on its way at the end of the tick. */
  write(frame: Uint8Array): void;
  /** Sends on its way what was written: before somebody else writes to the socket, who must not overtake it. */
  flush(): void;
  /** After `false` there is word when there is room. */
  hasRoom(): boolean;
  /** Lets go of the socket, which stays open. */
  release(): void;
}

export interface WireHooks {
  /** There is room again after there was none. */
  room(): void;
  /** Nothing was taken for the whole time-out while there was no room. */
  stalled(): void;
}

export interface Wires {
  open(socket: Duplex, hooks: WireHooks): Wire;
  close(): void;
}

export interface WireLimits {
  /** Bytes that wait for one socket before nothing more is written to it. */
  highWaterBytes: number;
  /** Milliseconds. Several are looked at together, so that it may be a quarter later. */
  stallTimeoutMs: number;
}

interface Full {
  hooks: WireHooks;
  unsent: number;
  since: number;
}

/** What waits for the end of the tick. */
interface Pending {
  frames: Uint8Array[];
  bytes: number;
  send(bytes: Uint8Array): void;
}

export function openWires({ highWaterBytes, stallTimeoutMs }: WireLimits): Wires {
  let waiting: Pending[] = [];
  const full = new Map<Duplex, Full>();

  function flushAll(): void {
    const all = waiting;
    waiting = [];
    let joined: Uint8Array | undefined;
    let parts: readonly Uint8Array[] = [];
    for (const pending of all) {
      const { frames } = pending;
      if (frames.length === 0) continue;
      if (joined === undefined || !isSame(frames, parts)) {
        parts = frames;
        joined = join(frames);
      }
      send(pending, joined);
    }
  }

  function send(pending: Pending, bytes: Uint8Array): void {
    pending.frames = [];
    pending.bytes = 0;
    pending.send(bytes);
  }

  const timer = setInterval(() => {
    const now = performance.now();
    for (const [socket, state] of full) {
      const unsent = unsentBytes(socket);
      if (unsent !== state.unsent) {
        state.unsent = unsent;
        state.since = now;
      } else if (now - state.since >= stallTimeoutMs) {
        full.delete(socket);
        state.hooks.stalled();
      }
    }
  }, stallTimeoutMs / 4).unref();

  return {
    open(socket, hooks) {
      // Below its own mark a socket does not say when it was emptied.
      const mark = Math.max(highWaterBytes, socket.writableHighWaterMark);
      const nowFull = () => {
        if (full.has(socket)) return;
        full.set(socket, { hooks, unsent: unsentBytes(socket), since: performance.now() });
      };
      const onDrain = () => {
        if (full.delete(socket)) hooks.room();
      };
      const pending: Pending = {
        frames: [],
        bytes: 0,
        send(bytes) {
          socket.write(bytes);
          if (socket.writableLength >= mark) nowFull();
          // What was taken at once does not make the socket say that it was emptied.
          else if (full.has(socket) && !socket.writableNeedDrain) process.nextTick(onDrain);
        },
      };
      socket.on("drain", onDrain);
      return {
        write(frame) {
          pending.bytes += frame.length;
          if (pending.frames.push(frame) > 1) return;
          if (waiting.push(pending) === 1) process.nextTick(flushAll);
        },
        flush() {
          if (pending.frames.length > 0) send(pending, join(pending.frames));
        },
        hasRoom() {
          if (socket.writableLength + pending.bytes < mark) return true;
          nowFull();
          return false;
        },
        release() {
          socket.off("drain", onDrain);
          full.delete(socket);
        },
      };
    },
    close: () => clearInterval(timer),
  };
}

function join(frames: readonly Uint8Array[]): Uint8Array {
  return frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames);
}

function isSame(frames: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return frames.length === others.length && frames.every((frame, at) => frame === others[at]);
}
