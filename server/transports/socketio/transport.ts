/**
 * Socket.IO for deployed clients of the older Python system: browser JavaScript and python-socketio, over
 * WebSocket and polling. They see the same streams as everybody, under the names they know.
 */
import { createServer } from "node:http";
import { Server, type Socket } from "socket.io";
import type { Transport, TransportContext } from "#server/transports/contract.ts";
import { messageOf } from "#shared/errors.ts";
import type { Principal } from "#shared/principal.ts";
import { serveConnection } from "./connection.ts";

export interface SocketioOptions {
  /** Let in clients of Socket.IO version 2. */
  allowEio3: boolean;
}

const PATH = "/socket.io";
/** A request is an id. This is enough to answer a bad one of a megabyte; a larger one costs its sender the connection. */
const MAX_MESSAGE_BYTES = 1.5 * 1024 * 1024;

export function createSocketioTransport(
  context: TransportContext,
  options: SocketioOptions,
): Transport {
  const { authenticate, ping, log } = context;
  // Socket.IO wants to be attached to a server. This one never listens; it is handed what comes for it.
  const inbox = createServer();
  const io = new Server(inbox, {
    path: PATH,
    transports: ["polling", "websocket"],
    allowEIO3: options.allowEio3,
    pingInterval: ping.intervalMs,
    pingTimeout: ping.timeoutMs,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    // Never `connectionStateRecovery`: it appends an offset to every event, and python-socketio then calls handlers
    // of one argument with two. A client that comes back subscribes again and gets the current state.
  });
  const principals = new WeakMap<Socket, Principal>();

  io.use((socket, next) => {
    const { headers, auth } = socket.handshake;
    const token: unknown = auth.token;
    void authenticate({ headers, token: typeof token === "string" ? token : undefined })
      .then((principal) => principals.set(socket, principal))
      .then(
        () => next(),
        (error: unknown) => next(new Error(messageOf(error))),
      );
  });
  io.on("connection", (socket) => {
    const principal = principals.get(socket);
    if (principal !== undefined) serveConnection(socket, principal, context);
  });
  io.engine.on("connection_error", ({ code, message }: { code: number; message: string }) => {
    log.debug({ code, reason: message }, "A Socket.IO connection was refused");
  });

  return {
    name: "socketio",
    serves: (path) => path === PATH || path.startsWith(`${PATH}/`),
    request: (req, res) => void inbox.emit("request", req, res),
    upgrade: (req, socket, head) => void inbox.emit("upgrade", req, socket, head),
    async close() {
      // Closes the connections below Socket.IO: clients take that for a lost connection, and come back. A
      // Socket.IO disconnect would tell JavaScript clients to stay away.
      await io.close();
    },
  };
}
