/**
 * The way into a WebSocket's own socket, and how full it is: what makes pushing cheap and bounded (S7).
 *
 * A frame is made once and written as it is, to however many sockets. What falls into one tick for one socket is
 * one write. That is safe beside `ws`: without compression, which is off, it too writes each frame at once and whole.
 *
 * A socket takes whatever it is given and keeps it in memory until the other side reads. So whoever writes asks for
 * room first: there is none above the high-water mark, and there is again when all of it was taken. A socket from
 * which nothing was taken for too long is reported, to be closed: its client comes back with its cursor.
 */
import type { Duplex } from "node:stream";

export interface Wire {
  /** Takes one whole frame in any case. */
  write(frame: Uint8Array): void;
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
  waiting: number;
  since: number;
}

export function openWires({ highWaterBytes, stallTimeoutMs }: WireLimits): Wires {
  let corked: Duplex[] = [];
  const full = new Map<Duplex, Full>();

  function flush(): void {
    const sockets = corked;
    corked = [];
    for (const socket of sockets) socket.uncork();
  }

  const timer = setInterval(() => {
    const now = performance.now();
    for (const [socket, state] of full) {
      if (socket.writableLength < state.waiting) {
        state.waiting = socket.writableLength;
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
      const onDrain = () => {
        if (full.delete(socket)) hooks.room();
      };
      socket.on("drain", onDrain);
      return {
        write(frame) {
          if (socket.writableCorked === 0) {
            socket.cork();
            if (corked.push(socket) === 1) process.nextTick(flush);
          }
          socket.write(frame);
          if (socket.writableLength < mark || full.has(socket)) return;
          full.set(socket, { hooks, waiting: socket.writableLength, since: performance.now() });
        },
        hasRoom: () => socket.writableLength < mark,
        release() {
          socket.off("drain", onDrain);
          full.delete(socket);
        },
      };
    },
    close: () => clearInterval(timer),
  };
}
