/** Counts the bytes written to a socket that the kernel has not taken yet. */
import type { Duplex } from "node:stream";

/**
 * A stream's own count (`writableLength`) falls only when a whole write is done, which takes minutes for a large write to a
 * slow peer. libuv counts each byte, but Node exposes that count only on the socket's handle, which is not public API;
 * Node's own `socket.setTimeout` reads it for the same reason. Without a handle, this falls back to the stream's count.
 */
export function unsentBytes(socket: Duplex): number {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: unknown } | null };
  const size = handle?.writeQueueSize;
  return typeof size === "number" ? size : socket.writableLength;
}
