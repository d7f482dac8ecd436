/** tRPC over HTTP, SSE and WebSocket, all at `/trpc`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { TRPCError } from "@trpc/server";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { WebSocketServer } from "ws";
import type { Transport, TransportContext } from "#server/transports/contract.ts";
import { openWires } from "#server/transports/wires.ts";
import { AppError, messageOf } from "#shared/errors.ts";
import { untilDrained } from "./drain.ts";
import { toTRPCError } from "./errors.ts";
import type { Context } from "./init.ts";
import { createRouter } from "./router.ts";
import { openHandler } from "./ws-handler.ts";

/** Enough for a batch of 10,000 jobs. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** Clients were told to come back; those that do not leave are cut off after this. */
const CLOSE_AFTER_MS = 1000;
/** RFC 6455: the server is going away. */
const GOING_AWAY = 1001;

export function createTrpcTransport(context: TransportContext): Transport {
  const { jobs, streams, system, ping, log } = context;
  const router = createRouter(ping);

  async function createContext(opts: {
    req: IncomingMessage;
    info: { connectionParams: Record<string, unknown> | null };
  }): Promise<Context> {
    const token = opts.info.connectionParams?.token;
    const { socket } = opts.req;
    const drained = () => untilDrained(socket);
    try {
      const principal = await context.authenticate({
        headers: opts.req.headers,
        token: typeof token === "string" ? token : undefined,
      });
      return { principal: () => principal, jobs, streams, system, drained };
    } catch (cause) {
      // Ours say themselves what is wrong: who could be asked is not there, for one.
      const refusal =
        cause instanceof AppError
          ? toTRPCError(cause)
          : new TRPCError({ code: "UNAUTHORIZED", message: messageOf(cause), cause });
      const principal = () => {
        throw refusal;
      };
      return { principal, jobs, streams, system, drained };
    }
  }

  /** What broke a socket: its client's doing, or the network's. */
  const ofSockets = new WeakSet<Error>();
  const noteError = (error: Error) => void ofSockets.add(error);

  const onError = ({
    error,
    path,
    type,
  }: {
    error: TRPCError;
    path?: string | undefined;
    type: string;
  }) => {
    const ours = error.cause === undefined || !ofSockets.has(error.cause);
    if (error.code === "INTERNAL_SERVER_ERROR" && ours) {
      log.error({ err: error.cause ?? error, path, type }, "A procedure failed");
    } else {
      log.debug({ code: error.code, reason: error.message, path, type }, "A call was refused");
    }
  };

  const handleRequest = createHTTPHandler({
    router,
    createContext,
    onError,
    basePath: "/trpc/",
    maxBodySize: MAX_BODY_BYTES,
  });
  const responses = new Set<ServerResponse>();
  const wss = new WebSocketServer({ noServer: true, maxPayload: MAX_BODY_BYTES, autoPong: false });
  const wires = openWires(context.backpressure);
  const sockets = openHandler({
    router,
    createContext,
    onError: (error, { type, path }) => onError({ error, type, path }),
    wires,
    ping,
  });

  return {
    name: "trpc",
    serves: (path) => path === "/trpc" || path.startsWith("/trpc/"),
    request(req, res) {
      responses.add(res);
      res.once("close", () => responses.delete(res));
      handleRequest(req, res);
    },
    upgrade(req, socket, head) {
      wss.handleUpgrade(req, socket, head, (ws) => {
        // Broken frames and oversize messages end the connection; `ws` closes it with the right code.
        ws.on("error", noteError);
        sockets.serve(ws, socket, req);
      });
    },
    async close() {
      for (const res of responses) if (isEventStream(res)) res.destroy();
      sockets.tellToReconnect();
      for (const ws of wss.clients) ws.close(GOING_AWAY, "The server is restarting");
      const timer = setTimeout(() => wss.clients.forEach((ws) => ws.terminate()), CLOSE_AFTER_MS);
      await new Promise<void>((resolve) => wss.close(() => resolve()));
      clearTimeout(timer);
      sockets.close();
      wires.close();
    },
  };
}

/** It would never end by itself. Its client takes the end for a lost connection, and comes back. */
function isEventStream(res: ServerResponse): boolean {
  return String(res.getHeader("content-type")).startsWith("text/event-stream");
}
