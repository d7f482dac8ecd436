/**
 * Handles pipelined requests: those that a connection sends before it has the answers to earlier ones. Node starts all
 * requests of one 64 KiB read at once, more than a thousand, and keeps each answer in memory until the earlier ones were
 * sent. This module runs them one after the other, so that memory holds one answer and some waiting requests.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Browsers, Node and common proxies do not pipeline. */
export const MAX_PIPELINED = 16;

export interface Pipeline {
  /** Calls `handle` once all earlier requests are answered. Closes a connection with too many waiting requests. */
  take(req: IncomingMessage, res: ServerResponse, handle: Handle): void;
  /** Calls `then` once all earlier requests are answered. */
  after(socket: Duplex, then: () => void): void;
  /** True if a request of this connection has no complete answer yet. */
  isBusy(socket: Duplex): boolean;
}

type Handle = (req: IncomingMessage, res: ServerResponse) => void;

export function createPipeline(): Pipeline {
  /** The waiting requests of each connection that has a request under way. */
  const waiting = new WeakMap<Duplex, (() => void)[]>();

  function next(socket: Duplex): void {
    const start = socket.destroyed ? undefined : waiting.get(socket)?.shift();
    if (start === undefined) waiting.delete(socket);
    else start();
  }

  return {
    take(req, res, handle) {
      const { socket } = req;
      // Node still emits the other requests of the chunk after the connection was destroyed.
      if (socket.destroyed) return;
      const start = () => {
        res.once("close", () => next(socket));
        handle(req, res);
      };
      const before = waiting.get(socket);
      if (before === undefined) {
        waiting.set(socket, []);
        start();
      } else if (before.length < MAX_PIPELINED - 1) before.push(start);
      else socket.destroy();
    },
    after(socket, then) {
      const before = waiting.get(socket);
      if (before === undefined) then();
      else before.push(then);
    },
    isBusy: (socket) => waiting.has(socket),
  };
}
