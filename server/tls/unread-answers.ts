/**
 * Bounds the answers of TLS itself. A client may ask for new keys (KeyUpdate) without end, and OpenSSL answers each time.
 * If the client reads nothing, these answers wait in memory, where no stream counts them; and as they grow, the connection
 * does not look stalled.
 */
import type { Server } from "node:http";
import type { TLSSocket } from "node:tls";

/** Session tickets, alerts and the answers to some updates of keys take a few kilobytes. */
const MAX_TLS_ANSWER_BYTES = 64 * 1024;
const LOOK_MS = 1000;
/** The part that encryption adds to what is written: at most 29 bytes for each 16 KiB. */
const OVERHEAD = 1 / 64;

/** Runs until the server closes. One timer checks all connections. */
export function closeUnreadAnswers(server: Server, onClosed: (socket: TLSSocket) => void): void {
  const sockets = new Set<TLSSocket>();
  function forget(this: TLSSocket): void {
    sockets.delete(this);
  }
  server.on("secureConnection", (socket: TLSSocket) => {
    sockets.add(socket);
    socket.on("close", forget);
  });

  function look(): void {
    for (const socket of sockets) {
      const written = socket.writableLength * (1 + OVERHEAD);
      if (encryptedBytes(socket) - written <= MAX_TLS_ANSWER_BYTES) continue;
      onClosed(socket);
      socket.destroy();
    }
  }
  const timer = setInterval(look, LOOK_MS).unref();
  server.once("close", () => clearInterval(timer));
}

/** Counts the encrypted bytes that the kernel has not taken. Only the handle has this count, which is not public API. */
function encryptedBytes(socket: TLSSocket): number {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } | null };
  return handle?.writeQueueSize ?? 0;
}
