/** The WebSocket server that Engine.IO is given: it bounds what each connection may send and have waiting. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { MESSAGE_LIMITS } from "#server/transports/message-limits.ts";
import type { Wires } from "#server/transports/wires.ts";
import { Inflow } from "./inflow.ts";

/** For Engine.IO's option `wsEngine`: the class that it makes its one server from. */
export function createWebSocketEngine(wires: Wires) {
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
        const inflow = new Inflow(ws, socket, wires);
        done(ws, req);
        inflow.readWhileRoom();
      });
    }
  };
}
