/** tRPC over HTTP, SSE and WebSocket, all at `/trpc`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { TRPCError } from "@trpc/server";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { WebSocketServer } from "ws";
import { discardBody } from "#server/transports/body.ts";
import type { Transport, TransportContext } from "#server/transports/contract.ts";
import { endWithSignIn } from "#server/transports/end-with-sign-in.ts";
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

/** How long clients that were told to reconnect may take to close before the server terminates their connections. */
const CLOSE_AFTER_MS = 1000;
const VARY = new Headers({ vary: "Origin" });

export function createTrpcTransport(context: TransportContext): Transport {
  const { authenticate, ping, log } = context;
  const router = createRouter(ping);
  const tell = createTroubleLog(log);

  async function createContext(opts: {
    req: IncomingMessage;
    /** Present for HTTP requests. */
    res?: ServerResponse;
    info: {
      connectionParams: Record<string, unknown> | null;
      type: string;
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
    const lasting = opts.res ?? socket;
    const isLasting = opts.res === undefined || opts.info.type === "subscription";
    if (isLasting && !(caller instanceof TRPCError)) {
      endWithSignIn(context.signIns, caller, lasting);
    }
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
    /** Present for HTTP requests. */
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
    // Clients send a query that is too long for an address as a POST.
    allowMethodOverride: true,
    // tRPC's own `Vary` would replace the one that `mount.ts` set.
    responseMeta: () => ({ headers: VARY }),
  });
  const responses = new Set<ServerResponse>();
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_BODY_BYTES,
    ...MESSAGE_LIMITS,
    // `ws-connection.ts` answers pings.
    autoPong: false,
    clientTracking: false,
  });
  const writers = openSocketWriters(context.backpressure);
  const sockets = openHandler({
    router,
    async createContext({ req, info }) {
      const made = await createContext({ req, info });
      const refusal = made.refusal();
      // The client reconnects and asks again, with a longer wait each time.
      if (refusal?.code === "SERVICE_UNAVAILABLE") throw refusal;
      return made;
    },
    onError: (error, { type, path }) => onError({ error, type, path }),
    // Broken frames or oversize messages, for which `ws` has closed the socket with the right code, or network errors.
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
      // `ws` refuses upgrades from now on.
      wss.close();
      await sockets.close(CLOSE_AFTER_MS);
      writers.close();
    },
  };
}

/** True if the same call may succeed later. */
function mayPass({ code }: TRPCError): boolean {
  return code === "SERVICE_UNAVAILABLE" || code === "INTERNAL_SERVER_ERROR";
}

/** True for errors of the server, whose cause the client does not receive. */
function isTroubleOfServer({ cause }: TRPCError): boolean {
  return cause instanceof AppError && cause.code === "UNAVAILABLE" && cause.cause !== undefined;
}

/** At shutdown the server ends event streams, which would otherwise stay open. Their clients then reconnect. */
function isEventStream(res: ServerResponse): boolean {
  return String(res.getHeader("content-type")).startsWith("text/event-stream");
}

/** Ensures that the input is text. Reads the body into `req.body`, where tRPC looks for a body that was already read. */
function giveInput(
  req: IncomingMessage,
  _res: ServerResponse,
  next: (error?: unknown) => void,
): void {
  if (req.method === "GET" || req.method === "HEAD") {
    // A GET has no body, but tRPC would choose a body parser by this header.
    delete req.headers["content-type"];
    return next(faultOf(req.url ?? ""));
  }
  readJsonBody(req).then(
    (body) => {
      // `undefined`: the client has left, so there is no answer.
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
