/**
 * Backpressure of pulled streams. A Node socket accepts every write and buffers it until the peer reads; a watch that waits
 * here before each write costs at most one full socket buffer (S7).
 */
import { once } from "node:events";
import type { Writable } from "node:stream";

/** One promise for all watches of a connection. */
const draining = new WeakMap<Writable, Promise<void>>();

/** Resolves when the connection is no longer full, or is closed. */
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
