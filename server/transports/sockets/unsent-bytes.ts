/** Counts the bytes written to a socket that the kernel has not taken yet. */
import type { Duplex } from "node:stream";

interface Handle {
  writeQueueSize?: unknown;
  /** The TCP handle below that of a TLS connection. */
  _parent?: { writeQueueSize?: unknown };
}

/**
 * A stream's own count (`writableLength`) falls only when a whole write is done, which takes minutes for a large write to a
 * slow peer. libuv counts each byte, but Node exposes that count only on the socket's handle, which is not public API;
 * Node's own `socket.setTimeout` reads it for the same reason. Without a handle, this falls back to the stream's count.
 *
 * Over TLS the handle counts encrypted bytes until all of them are taken, and the TCP handle below it counts each byte of
 * those that it has already received. The sum is too large, but each taken byte changes it. It is 0 while a write waits for
 * the end of a handshake; the stream's own count then tells that something waits.
 */
export function unsentBytes(socket: Duplex): number {
  const { _handle: handle } = socket as { _handle?: Handle | null };
  const size = handle?.writeQueueSize;
  if (typeof size !== "number") return socket.writableLength;
  const below = handle?._parent?.writeQueueSize;
  return typeof below === "number" ? size + below || socket.writableLength : size;
}
