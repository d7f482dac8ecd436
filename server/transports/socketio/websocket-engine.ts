/** The WebSocket server that Engine.IO is given: it bounds what each connection may send and have waiting. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { MESSAGE_LIMITS } from "#server/transports/message-limits.ts";
import type { SocketWriters } from "#server/transports/socket-writer.ts";
import { Inflow } from "./inflow.ts";

/** For Engine.IO's option `wsEngine`: the class that it makes its one server from. */
export function createWebSocketEngine(writers: SocketWriters) {
  return class BoundedWebSocketServer extends WebSocketServer {
    constructor(options?: ServerOptions) {
      // The inflow answers pings.
      super({ ...options, ...MESSAGE_LIMITS, autoPong: false });
    }

    override handleUpgrade(
      req: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      done: (ws: WebSocket, req: IncomingMessage) => void,
    ): void {
      super.handleUpgrade(req, socket, head, (ws) => {
        const inflow = new Inflow(ws, socket, writers);
        done(ws, req);
        inflow.readUnlessFull();
      });
    }
  };
}
