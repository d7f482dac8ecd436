/** tRPC over HTTP, SSE and WebSocket, all at `/trpc`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { TRPCError } from "@trpc/server";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { WebSocketServer } from "ws";
import type { Transport, TransportContext } from "#server/transports/contract.ts";
import { spread } from "#server/transports/spread.ts";
import { openWires } from "#server/transports/wires.ts";
import { AppError, messageOf } from "#shared/errors.ts";
import type { Principal } from "#shared/principal.ts";
import { Context } from "./context.ts";
import { toTRPCError } from "./errors.ts";
import { createRouter } from "./router.ts";
import { openHandler } from "./ws-handler.ts";

/** Enough for a batch of 10,000 jobs. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** Clients were told to come back; those that do not leave are cut off after this. */
const CLOSE_AFTER_MS = 1000;

export function createTrpcTransport(context: TransportContext): Transport {
  const { ping, log } = context;
  const router = createRouter(ping);

  async function createContext(opts: {
    req: IncomingMessage;
    info: { connectionParams: Record<string, unknown> | null };
  }): Promise<Context> {
    const token = opts.info.connectionParams?.token;
    const { socket, headers } = opts.req;
    let caller: Principal | TRPCError;
    try {
      caller = await context.authenticate({
        headers,
        token: typeof token === "string" ? token : undefined,
      });
    } catch (cause) {
      // Ours say themselves what is wrong: who could be asked is not there, for one.
      caller =
        cause instanceof AppError
          ? toTRPCError(cause)
          : new TRPCError({ code: "UNAUTHORIZED", message: messageOf(cause), cause });
    }
    return new Context(context, socket, caller);
  }

  const onError = ({
    error,
    path,
    type,
  }: {
    error: TRPCError;
    path?: string | undefined;
    type: string;
  }) => {
    if (error.code === "INTERNAL_SERVER_ERROR") {
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
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_BODY_BYTES,
    autoPong: false,
    // The handler does.
    clientTracking: false,
  });
  const wires = openWires(context.backpressure);
  const sockets = openHandler({
    router,
    createContext,
    onError: (error, { type, path }) => onError({ error, type, path }),
    // Broken frames and oversize messages, which `ws` has closed with the right code, or the network.
    onBroken: (error) => log.debug({ reason: error.message }, "A socket broke"),
    wires,
    ping,
  });

  return {
    name: "trpc",
    access: (path) => (path === "/trpc" || path.startsWith("/trpc/") ? "data" : undefined),
    request(req, res) {
      responses.add(res);
      res.once("close", () => responses.delete(res));
      handleRequest(req, res);
    },
    upgrade(req, socket, head) {
      wss.handleUpgrade(req, socket, head, (ws) => sockets.serve(ws, socket, req));
    },
    async handOver(ms) {
      const streams = [...responses].filter(isEventStream);
      await Promise.all([sockets.handOver(ms), spread(streams, ms, (res) => res.destroy())]);
    },
    async close() {
      for (const res of responses) if (isEventStream(res)) res.destroy();
      // From now on upgrades are refused.
      wss.close();
      await sockets.close(CLOSE_AFTER_MS);
      wires.close();
    },
  };
}

/** It would never end by itself. Its client takes the end for a lost connection, and comes back. */
function isEventStream(res: ServerResponse): boolean {
  return String(res.getHeader("content-type")).startsWith("text/event-stream");
}
