/**
 * Closes connections of HTTP clients that do not read their response. A response waits in memory until the client reads, so
 * a connection from which the kernel takes no byte for the stall timeout is closed, as a WebSocket is
 * (`socket-writer.ts`). A response with nothing to send, such as an idle event stream, may stay open.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { unsentBytes } from "#server/transports/sockets/unsent-bytes.ts";

interface Progress {
  responses: number;
  unsent: number;
  /** The time of the last check at which the count of unsent bytes had changed. */
  since: number;
}

export interface StallWatch {
  add(req: IncomingMessage, res: ServerResponse): void;
  close(): void;
}

/** Runs until the server closes. */
export function closeStalledResponses(
  server: Server,
  stallTimeoutMs: number,
  onStalled: (socket: Socket) => void,
): void {
  const watch = openStallWatch(stallTimeoutMs, onStalled);
  server.on("request", watch.add);
  server.once("close", watch.close);
}

/** One timer checks all connections, so a stall is noticed up to a quarter late. */
export function openStallWatch(
  stallTimeoutMs: number,
  onStalled: (socket: Socket) => void,
): StallWatch {
  const answering = new Map<Socket, Progress>();

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
  return {
    add({ socket }, res) {
      const progress = answering.get(socket) ?? { responses: 0, unsent: 0, since: 0 };
      answering.set(socket, progress);
      progress.responses += 1;
      res.once("close", () => {
        progress.responses -= 1;
        if (progress.responses === 0) answering.delete(socket);
      });
    },
    close: () => clearInterval(timer),
  };
}
