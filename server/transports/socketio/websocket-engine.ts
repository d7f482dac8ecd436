/** The WebSocket server for Engine.IO. It bounds the messages of each connection and the bytes that wait for it. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { MESSAGE_LIMITS } from "#server/transports/sockets/message-limits.ts";
import type { SocketWriters } from "#server/transports/sockets/socket-writer.ts";
import { Inflow } from "./inflow.ts";

/** Returns the class for Engine.IO's option `wsEngine`, of which Engine.IO creates one instance. */
export function createWebSocketEngine(writers: SocketWriters) {
  return class BoundedWebSocketServer extends WebSocketServer {
    constructor(options?: ServerOptions) {
      // `inflow.ts` answers pings.
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
