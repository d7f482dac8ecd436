/** tRPC over HTTP, SSE and WebSocket, all at `/trpc`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TRPCError } from "@trpc/server";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { WebSocketServer } from "ws";
import { discardBody } from "#server/transports/body.ts";
import type { Transport, TransportContext } from "#server/transports/contract.ts";
import { MESSAGE_LIMITS } from "#server/transports/message-limits.ts";
import { checkAddress, NotText } from "#server/transports/request-text.ts";
import { stagger } from "#server/transports/stagger.ts";
import { createTroubleLog } from "#server/transports/trouble-log.ts";
import { openSocketWriters } from "#server/transports/socket-writer.ts";
import { AppError } from "#shared/errors.ts";
import { Batch, MAX_BATCH_CALLS } from "./batch.ts";
import { Context } from "./context.ts";
import { toTRPCError } from "./errors.ts";
import { refusalOf } from "./refusal.ts";
import { MAX_BODY_BYTES, notText, readJsonBody } from "./request-body.ts";
import { createRouter } from "./router.ts";
import { openHandler } from "./ws-handler.ts";

/** Clients were told to come back; those that do not leave are cut off after this. */
const CLOSE_AFTER_MS = 1000;
const VARY = new Headers({ vary: "Origin" });

export function createTrpcTransport(context: TransportContext): Transport {
  const { authenticate, ping, log } = context;
  const router = createRouter(ping);
  const tell = createTroubleLog(log);

  async function createContext(opts: {
    req: IncomingMessage;
    /** Of a request over HTTP. */
    res?: ServerResponse;
    info: {
      connectionParams: Record<string, unknown> | null;
      isBatchCall: boolean;
      calls: readonly unknown[];
    };
  }): Promise<Context> {
    const token = opts.info.connectionParams?.token;
    const { socket, headers } = opts.req;
    const caller = await authenticate({
      headers,
      token: typeof token === "string" ? token : undefined,
    }).catch(toTRPCError);
    const { isBatchCall, calls } = opts.info;
    const batch = isBatchCall && calls.length > 1 ? new Batch() : undefined;
    return new Context(context, { socket, caller, batch, response: opts.res });
  }

  const onError = ({
    error,
    path,
    type,
    ctx,
  }: {
    error: TRPCError;
    path?: string | undefined;
    type: string;
    /** Of a request over HTTP. */
    ctx?: Context | undefined;
  }) => {
    if (type === "subscription" && !mayPass(error)) ctx?.endForGood();
    if (error.code === "INTERNAL_SERVER_ERROR") {
      log.error({ err: error.cause ?? error, path, type }, "A procedure failed");
    } else {
      if (isTroubleOfServer(error)) tell(error.cause, "A call was refused");
      log.debug({ code: error.code, reason: error.message, path, type }, "A call was refused");
    }
  };

  const handleRequest = createHTTPHandler({
    router,
    createContext,
    onError,
    basePath: "/trpc/",
    maxBatchSize: MAX_BATCH_CALLS,
    middleware: giveInput,
    // A query that is too long for an address comes as a POST.
    allowMethodOverride: true,
    // tRPC's own value takes the place of what was said before about the origin.
    responseMeta: () => ({ headers: VARY }),
  });
  const responses = new Set<ServerResponse>();
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_BODY_BYTES,
    ...MESSAGE_LIMITS,
    // The handler answers pings and keeps the connections.
    autoPong: false,
    clientTracking: false,
  });
  const writers = openSocketWriters(context.backpressure);
  const sockets = openHandler({
    router,
    async createContext({ req, info }) {
      const made = await createContext({ req, info });
      const refusal = made.refusal();
      // Its client is to come back and ask again, and to wait longer each time.
      if (refusal?.code === "SERVICE_UNAVAILABLE") throw refusal;
      return made;
    },
    onError: (error, { type, path }) => onError({ error, type, path }),
    // Broken frames and oversize messages, which `ws` has closed with the right code, or the network.
    onBroken: (error) => log.debug({ reason: error.message }, "A socket broke"),
    writers,
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
    refusal: (status, message) => refusalOf(router._def._config, status, message),
    upgrade(req, socket, head) {
      wss.handleUpgrade(req, socket, head, (ws) => sockets.serve(ws, socket, req));
    },
    async handOver(ms) {
      const streams = [...responses].filter(isEventStream);
      await Promise.all([sockets.handOver(ms), stagger(streams, ms, (res) => res.destroy())]);
    },
    async close() {
      for (const res of responses) if (isEventStream(res)) res.destroy();
      // From now on upgrades are refused.
      wss.close();
      await sockets.close(CLOSE_AFTER_MS);
      writers.close();
    },
  };
}

/** The same call may go better later. */
function mayPass({ code }: TRPCError): boolean {
  return code === "SERVICE_UNAVAILABLE" || code === "INTERNAL_SERVER_ERROR";
}

/** Its cause is not told to the caller. */
function isTroubleOfServer({ cause }: TRPCError): boolean {
  return cause instanceof AppError && cause.code === "UNAVAILABLE" && cause.cause !== undefined;
}

/** It would never end by itself. Its client takes the end for a lost connection, and comes back. */
function isEventStream(res: ServerResponse): boolean {
  return String(res.getHeader("content-type")).startsWith("text/event-stream");
}

/** Sees to it that the input is text. Reads a body, and leaves it where tRPC looks for one that is read already. */
function giveInput(
  req: IncomingMessage,
  _res: ServerResponse,
  next: (error?: unknown) => void,
): void {
  if (req.method === "GET" || req.method === "HEAD") {
    // It says nothing where there is no body, and tRPC would choose a parser of bodies by it.
    delete req.headers["content-type"];
    return next(faultOf(req.url ?? ""));
  }
  readJsonBody(req).then(
    (body) => {
      // A client that has left is not answered.
      if (body !== undefined) next(void Object.assign(req, { body }));
    },
    (error: unknown) => {
      Object.assign(req, { body: "" });
      discardBody(req);
      next(error);
    },
  );
}

function faultOf(url: string): unknown {
  try {
    checkAddress(url);
    return undefined;
  } catch (error) {
    return error instanceof NotText ? notText(error) : error;
  }
}
