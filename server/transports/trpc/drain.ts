/**
 * Backpressure of one connection. A WebSocket takes whatever it is given and keeps it in memory until the other
 * side reads; a watch that waits here before it goes on costs a full socket buffer and no more (S7).
 */
import { once } from "node:events";
import type { Writable } from "node:stream";

/** The returned function resolves when the connection takes more, or is gone. */
export function createDrain(socket: Writable): () => Promise<void> {
  /** One for all watches of the connection. */
  let draining: Promise<void> | undefined;

  async function untilDrained(): Promise<void> {
    const over = new AbortController();
    const wait = (event: string) => once(socket, event, { signal: over.signal });
    await Promise.race([wait("drain"), wait("close")]).catch(() => {});
    over.abort();
    draining = undefined;
  }

  return async () => {
    if (!socket.writableNeedDrain || socket.destroyed) return;
    draining ??= untilDrained();
    await draining;
  };
}
