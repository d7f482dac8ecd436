/**
 * Backpressure of one pulled stream. A socket takes every write and keeps it in memory until the other side reads; a
 * watch that waits here first costs one full socket buffer and no more (S7).
 */
import { once } from "node:events";
import type { Writable } from "node:stream";

/** One for all watches of a connection. */
const draining = new WeakMap<Writable, Promise<void>>();

/** Resolves when the connection takes more, or is gone. */
export async function untilDrained(socket: Writable): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) return;
  let wait = draining.get(socket);
  if (wait === undefined) {
    wait = drainOrClose(socket).finally(() => draining.delete(socket));
    draining.set(socket, wait);
  }
  await wait;
}

async function drainOrClose(socket: Writable): Promise<void> {
  const over = new AbortController();
  const wait = (event: string) => once(socket, event, { signal: over.signal });
  await Promise.race([wait("drain"), wait("close")]).catch(() => {});
  over.abort();
}
