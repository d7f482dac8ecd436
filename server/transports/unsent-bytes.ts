/** The bytes written to a socket that the kernel has not taken yet. */
import type { Duplex } from "node:stream";

/**
 * A stream's own count (`writableLength`) falls only when a write is done whole, which takes minutes where a large one
 * meets a slow line. libuv counts each byte, but Node shows its count on the socket's handle only, which is no public
 * part; Node's own `socket.setTimeout` looks there for the same reason. Without it the stream's count has to do.
 */
export function unsentBytes(socket: Duplex): number {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: unknown } | null };
  const size = handle?.writeQueueSize;
  return typeof size === "number" ? size : socket.writableLength;
}
