/** tRPC over HTTP, SSE and WebSocket, all at `/trpc`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { TRPCError } from "@trpc/server";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { WebSocketServer } from "ws";
import { discardBody } from "#server/transports/body.ts";
import type {
  Caller,
  Credentials,
  Transport,
  TransportContext,
} from "#server/transports/contract.ts";
import { msToEnd } from "#server/transports/credential-end.ts";
import { Deadlines } from "#server/transports/deadlines.ts";
import { endWithCredential } from "#server/transports/end-with-credential.ts";
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
import { type Call, ticketIn } from "./ticket.ts";
import { createRouter } from "./router.ts";
import { openHandler } from "./ws-handler.ts";

/** How long clients that were told to reconnect may take to close before the server terminates their connections. */
const CLOSE_AFTER_MS = 1000;
const VARY = new Headers({ vary: "Origin" });

export function createTrpcTransport(context: TransportContext): Transport {
  const { identify, ping, log } = context;
  const router = createRouter(ping);
  const tell = createTroubleLog(log);
  const deadlines = new Deadlines();

  const callerOf = (
    { headers }: IncomingMessage,
    params: Record<string, unknown> | null,
    ticket?: Credentials["ticket"],
  ): Promise<Caller | TRPCError> => {
    const token = typeof params?.token === "string" ? params.token : undefined;
    return identify({ headers, token, ticket }).catch(toTRPCError);
  };

  async function createContext({
    req,
    res,
    info,
  }: {
    req: IncomingMessage;
    res: ServerResponse;
    info: {
      connectionParams: Record<string, unknown> | null;
      isBatchCall: boolean;
      calls: readonly Call[];
      type: string;
    };
  }): Promise<Context> {
    const ticket = await ticketIn(req, info);
    const caller =
      ticket instanceof TRPCError ? ticket : await callerOf(req, info.connectionParams, ticket);
    if (info.type === "subscription" && !(caller instanceof TRPCError)) {
      endWithCredential(context, caller, res);
    }
    return new Context(context, {
      socket: req.socket,
      caller,
      batch: info.isBatchCall && info.calls.length > 1 ? new Batch() : undefined,
      response: res,
      ended: info.type === "subscription" ? endOf(caller, res) : undefined,
    });
  }

  /** Aborts when the caller's credentials have ended, unless the response ends first. */
  function endOf(caller: Caller | TRPCError, res: ServerResponse): AbortSignal | undefined {
    const ms = caller instanceof TRPCError ? undefined : msToEnd(caller);
    if (ms === undefined || res.closed) return undefined;
    const ended = new AbortController();
    const owner = { due: () => ended.abort() };
    deadlines.set(owner, ms);
    res.once("close", () => deadlines.delete(owner));
    return ended.signal;
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
    async createContext({ req, info }, connection) {
      const caller = await callerOf(req, info.connectionParams);
      let stopWatching: (() => void) | undefined;
      if (caller instanceof TRPCError) {
        // The client reconnects and asks again, with a longer wait each time.
        if (caller.code === "SERVICE_UNAVAILABLE") throw caller;
        connection.lifetime().begin();
      } else {
        stopWatching = endWithCredential(context, caller, req.socket);
        const ms = msToEnd(caller);
        // Most connections without an end never need a lifetime.
        if (ms !== undefined || info.connectionParams !== null) {
          connection.lifetime().identified(ms);
        }
      }
      return new Context(context, { socket: req.socket, caller, connection, stopWatching });
    },
    onError: (error, { type, path }) => onError({ error, type, path }),
    // Broken frames or oversize messages, for which `ws` has closed the socket with the right code, or network errors.
    onBroken: (error) => log.debug({ reason: error.message }, "A socket broke"),
    writers,
    credentialLimits: context.credentialLimits,
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
      deadlines.close();
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
