/**
 * Closes connections of clients that ask over HTTP and do not read the answer. A response waits in memory until the client
 * reads, so one from which the kernel takes not one byte for the time-out loses its connection, as a WebSocket does
 * (`socket-writer.ts`). A response that has nothing to send, such as an idle event stream, may take as long as it wants.
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { unsentBytes } from "./unsent-bytes.ts";

interface Progress {
  responses: number;
  unsent: number;
  /** The time of the last check that found another count of unsent bytes. */
  since: number;
}

/** Watches until the server closes. Several connections are looked at together, so that it may be a quarter later. */
export function closeStalledResponses(
  server: Server,
  stallTimeoutMs: number,
  onStalled: (socket: Socket) => void,
): void {
  const answering = new Map<Socket, Progress>();

  server.on("request", ({ socket }, res) => {
    const progress = answering.get(socket) ?? { responses: 0, unsent: 0, since: 0 };
    answering.set(socket, progress);
    progress.responses += 1;
    res.once("close", () => {
      progress.responses -= 1;
      if (progress.responses === 0) answering.delete(socket);
    });
  });

  function look(): void {
    const now = performance.now();
    for (const [socket, progress] of answering) {
      const unsent = unsentBytes(socket);
      if (socket.destroyed) answering.delete(socket);
      else if (unsent === 0 || unsent !== progress.unsent) {
        progress.unsent = unsent;
        progress.since = now;
      } else if (now - progress.since >= stallTimeoutMs) {
        socket.destroy();
        onStalled(socket);
      }
    }
  }

  const timer = setInterval(look, stallTimeoutMs / 4).unref();
  server.once("close", () => clearInterval(timer));
}
