/** tRPC over HTTP, SSE and WebSocket, all at `/trpc`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { TRPCError } from "@trpc/server";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import type { Limits, Release } from "#server/limits/open.ts";
import type { Caller, Transport, TransportContext } from "#server/transports/contract.ts";
import { msToEnd } from "#server/transports/callers/credential-end.ts";
import { Deadlines } from "#server/transports/callers/deadlines.ts";
import { endWithCredential } from "#server/transports/callers/end-with-credential.ts";
import { BoundedWebSocketServer } from "#server/transports/sockets/websocket-server.ts";
import { EventStreams } from "#server/transports/requests/event-streams.ts";
import { refuseLimitedUpgrade } from "#server/transports/requests/refusals.ts";
import { stagger } from "#server/transports/sockets/stagger.ts";
import { createTroubleLog } from "#server/transports/trouble-log.ts";
import { openSocketWriters } from "#server/transports/sockets/socket-writer.ts";
import { createStrangers } from "#server/transports/limits/strangers.ts";
import { releaseOnClose } from "#server/transports/limits/until-close.ts";
import { AppError, retryAfterSeconds } from "#shared/errors.ts";
import type { Principal } from "#shared/principal.ts";
import { Batch, MAX_BATCH_CALLS } from "./batch.ts";
import { Context } from "./context.ts";
import { traceOfCaller } from "#server/tracing/call-span.ts";
import { createCallers } from "./callers.ts";
import { refusedClient } from "./client-version.ts";
import { mayCompress } from "./compressible.ts";
import { createEarlyRefusal } from "./early-refusal.ts";
import { createGiveInput } from "./give-input.ts";
import { appCodeOf, retryAfterOf, toTRPCError } from "./errors.ts";
import { refusalOf } from "./refusal.ts";
import { MAX_BODY_BYTES } from "#server/transports/requests/json-body.ts";
import { type Call, ticketIn } from "./ticket.ts";
import type { OwnProcedures } from "./own-procedures.ts";
import { createRouter } from "./router.ts";
import { openHandler } from "./ws-handler.ts";

/** How long clients that were told to reconnect may take to close before the server terminates their connections. */
const CLOSE_AFTER_MS = 1000;
const MAX_LISTENERS = 20;
const STREAM_HEADERS = { vary: "Origin" };
/** Answers are for one caller, and CDNs keep those that do not forbid it. Streams forbid it by themselves. */
const ANSWER_HEADERS = { ...STREAM_HEADERS, "cache-control": "no-store" };

/** `procedures`: those of the program that the server runs in. */
export function createTrpcTransport(
  context: TransportContext,
  procedures?: OwnProcedures,
): Transport {
  const { limits, ping, log } = context;
  const kinds = context.jobs.kinds().map(({ name }) => name);
  const router = createRouter(ping, kinds, procedures);
  const tell = createTroubleLog(log);
  const deadlines = new Deadlines(context.clock);

  const eventStreams = new EventStreams("trpc-sse");
  const callers = createCallers(context);
  const strangers = limits && createStrangers(limits);
  const services = { ...context, ...strangers };
  const giveInput = createGiveInput(async (req) => {
    const caller = await callers.byHeaders(req);
    return caller instanceof TRPCError ? caller : undefined;
  });
  const refuseEarly =
    limits &&
    createEarlyRefusal({ router, limits, callerOf: callers.byHeaders, transport: () => transport });

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
    const ticket = refusedClient(req) ?? (await ticketIn(req, info));
    const sent = info.type === "subscription" ? eventStreams.add(req, res) : undefined;
    let caller =
      ticket instanceof TRPCError
        ? ticket
        : await callers.of(req, { params: info.connectionParams, ticket });
    if (info.type === "subscription" && !(caller instanceof TRPCError)) {
      endWithCredential(context, caller, res);
      caller = await countStream(caller, res);
    }
    return new Context(context, {
      socket: req.socket,
      caller,
      batch: info.isBatchCall && info.calls.length > 1 ? new Batch() : undefined,
      response: res,
      ended: info.type === "subscription" ? endOf(caller, res) : undefined,
      trace: traceOfCaller(req.headers),
      sent,
    });
  }

  /** Returns the error instead of the caller if the user may have no further stream. */
  async function countStream(caller: Caller, res: ServerResponse): Promise<Caller | TRPCError> {
    try {
      for (const name of ["user_connections", "user_subscriptions"] as const) {
        const release = await limits?.openForUser(name, caller.principal);
        if (release !== undefined) releaseOnClose(res, release);
      }
      return caller;
    } catch (error) {
      return toTRPCError(error);
    }
  }

  /** Aborts when the caller's credentials have ended, unless the response ends first. */
  function endOf(caller: Caller | TRPCError, res: ServerResponse): AbortSignal | undefined {
    const ms = caller instanceof TRPCError ? undefined : msToEnd(caller, context.clock);
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
    context.observer?.callFailed("trpc", appCodeOf(error), path);
    if (type === "subscription") {
      if (!PASSING.has(error.code)) ctx?.endForGood();
      const retryAfterMs = retryAfterOf(error);
      if (retryAfterMs !== undefined) ctx?.endFor(retryAfterMs);
    }
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
    middleware: (req, res, next) =>
      refuseEarly === undefined
        ? giveInput(req, next)
        : refuseEarly(req, res, (error) =>
            error === undefined ? giveInput(req, next) : next(error),
          ),
    // Clients send a query that is too long for an address as a POST.
    allowMethodOverride: true,
    // tRPC's own `Vary` would replace the one that `mount.ts` set.
    responseMeta: ({ errors, type }) => ({ headers: headersOf(errors, type === "subscription") }),
  });
  const responses = new Set<ServerResponse>();
  const wss = new BoundedWebSocketServer(
    { noServer: true, maxPayload: MAX_BODY_BYTES, clientTracking: false },
    context.compression,
  );
  const writers = openSocketWriters(context.backpressure);
  const sockets = openHandler({
    router,
    async createContext({ req, info }, connection) {
      const caller =
        refusedClient(req) ?? (await callers.of(req, { params: info.connectionParams }));
      let stopWatching: (() => void) | undefined;
      if (caller instanceof TRPCError) {
        // The client reconnects and asks again, with a longer wait each time.
        if (caller.code === "SERVICE_UNAVAILABLE") throw caller;
        connection.lifetime().begin();
      } else {
        const release = await limits
          ?.openForUser("user_connections", caller.principal)
          .catch((error: unknown) => Promise.reject(toTRPCError(error)));
        if (release !== undefined) releaseOnClose(req.socket, release);
        strangers?.identified(req.socket);
        stopWatching = endWithCredential(context, caller, req.socket);
        const ms = msToEnd(caller, context.clock);
        // Most connections without an end never need a lifetime.
        if (ms !== undefined || info.connectionParams !== null) {
          connection.lifetime().identified(ms);
        }
      }
      const trace = traceOfCaller(req.headers, info.connectionParams?.traceparent);
      return new Context(services, { socket: req.socket, caller, connection, stopWatching, trace });
    },
    onError: (error, { type, path }) => onError({ error, type, path }),
    // Broken frames or oversize messages, for which `ws` has closed the socket with the right code, or network errors.
    onBroken: (error) => log.debug({ reason: error.message }, "A socket broke"),
    strangersError: (ctx) => (ctx instanceof Context ? ctx.refusal() : undefined),
    refusedCall: (ctx) => limits && refusedCall(limits, ctx),
    openSubscription: (ctx) => limits && countSubscription(limits, ctx),
    writers,
    credentialLimits: context.credentialLimits,
    clock: context.clock,
    ping,
  });

  const transport: Transport = {
    name: "trpc",
    procedures: Object.keys(router._def.procedures),
    usage: () => [
      { kind: "trpc-websocket", ...sockets.count(), ...writers.count() },
      eventStreams.usage(),
    ],
    access: (path) => (path === "/trpc" || path.startsWith("/trpc/") ? "data" : undefined),
    mayCompress,
    request(req, res) {
      responses.add(res);
      // The stream of a caller that signed in has more listeners than Node takes for a leak.
      res.setMaxListeners(MAX_LISTENERS);
      res.once("close", () => responses.delete(res));
      handleRequest(req, res);
    },
    refusal: (status, message, retryAfterMs) =>
      refusalOf(router._def._config, status, message, retryAfterMs),
    upgrade(req, socket, head) {
      const limited = strangers?.add(req, socket);
      if (limited !== undefined) return refuseLimitedUpgrade(socket, limited, transport);
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
  return transport;
}

/** The longest wait of a batch: earlier, some of its calls would be refused again. */
function headersOf(errors: readonly TRPCError[], isStream: boolean): Headers {
  const headers = new Headers(isStream && errors.length === 0 ? STREAM_HEADERS : ANSWER_HEADERS);
  const waits = errors.map(retryAfterOf).filter((ms) => ms !== undefined);
  if (waits.length === 0) return headers;
  headers.set("retry-after", String(retryAfterSeconds(Math.max(...waits))));
  return headers;
}

/** Codes with which the same call may succeed later. */
const PASSING: ReadonlySet<TRPCError["code"]> = new Set([
  "SERVICE_UNAVAILABLE",
  "INTERNAL_SERVER_ERROR",
  "TOO_MANY_REQUESTS",
]);

/** True for errors of the server, whose cause the client does not receive. */
function isTroubleOfServer({ cause }: TRPCError): boolean {
  return cause instanceof AppError && cause.code === "UNAVAILABLE" && cause.cause !== undefined;
}

function refusedCall(limits: Limits, context: unknown): Promise<TRPCError> | undefined {
  const principal = limits.refusesCalls() ? principalOf(context) : undefined;
  return principal && limits.refusedCall(principal)?.then(toTRPCError);
}

function countSubscription(limits: Limits, context: unknown): Promise<Release> | undefined {
  const principal = principalOf(context);
  return principal && limits.openForUser("user_subscriptions", principal);
}

/** Of a known caller. */
function principalOf(context: unknown): Principal | undefined {
  if (!(context instanceof Context) || context.refusal() !== undefined) return undefined;
  return context.principal();
}

/** At shutdown the server ends event streams, which would otherwise stay open. Their clients then reconnect. */
function isEventStream(res: ServerResponse): boolean {
  return String(res.getHeader("content-type")).startsWith("text/event-stream");
}
