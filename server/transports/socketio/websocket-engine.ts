/** The WebSocket server for Engine.IO. It bounds the messages of each connection and the bytes that wait for it. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { ServerOptions, WebSocket } from "ws";
import { BoundedWebSocketServer } from "#server/transports/sockets/websocket-server.ts";
import type { SocketWriters } from "#server/transports/sockets/socket-writer.ts";
import { Inflow } from "./inflow.ts";

type EngineOptions = ServerOptions & { maxPayload: number };

/** Returns the class for Engine.IO's option `wsEngine`, of which Engine.IO creates one instance. */
export function createWebSocketEngine(
  writers: SocketWriters,
  compression: boolean,
): new (options: EngineOptions) => BoundedWebSocketServer {
  return class WebSocketEngine extends BoundedWebSocketServer {
    constructor(options: EngineOptions) {
      super(options, compression);
    }

    override handleUpgrade(
      req: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      done: (ws: WebSocket, req: IncomingMessage) => void,
    ): void {
      dropResponse(socket);
      // Engine.IO deletes a field of the request that it gets back. That would make a dictionary of the one that it keeps.
      const { method, headers } = req;
      super.handleUpgrade(Object.assign({}, req, { method, headers }), socket, head, (ws) => {
        const inflow = new Inflow(ws, socket, writers);
        done(ws, req);
        inflow.readUnlessFull();
      });
    }
  };
}

/**
 * Engine.IO makes a response for HTTP middleware, of which this server has none, and the socket's newest listener keeps it for
 * as long as the connection.
 */
function dropResponse(socket: Duplex): void {
  const newest = socket.rawListeners("close").at(-1);
  // It is one that listens once.
  if (newest !== undefined && "listener" in newest) socket.off("close", newest);
}
