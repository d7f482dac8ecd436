/**
 * Requests that one connection sends before it has the answers to earlier ones (pipelining). Node reads all that are in
 * one chunk of 64 KiB, more than a thousand, starts them at once, and keeps each answer until those before it were sent.
 * So they are carried out one after the other: one answer is in memory, and the others are requests that wait.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Browsers, Node and the usual proxies send a request when they have the answer to the one before. */
export const MAX_PIPELINED = 16;

export interface Pipeline {
  /** Calls `handle` when the requests before this one were answered. Closes a connection that has too many of them. */
  take(req: IncomingMessage, res: ServerResponse, handle: Handle): void;
  /** Calls `then` when the requests before were answered. */
  after(socket: Duplex, then: () => void): void;
  /** `true`: a request of this connection has no whole answer yet. */
  isBusy(socket: Duplex): boolean;
}

type Handle = (req: IncomingMessage, res: ServerResponse) => void;

export function createPipeline(): Pipeline {
  /** Of each connection with a request under way, those that wait for it. */
  const waiting = new WeakMap<Duplex, (() => void)[]>();

  function next(socket: Duplex): void {
    const start = socket.destroyed ? undefined : waiting.get(socket)?.shift();
    if (start === undefined) waiting.delete(socket);
    else start();
  }

  return {
    take(req, res, handle) {
      const { socket } = req;
      // Node goes on with the rest of the chunk.
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
