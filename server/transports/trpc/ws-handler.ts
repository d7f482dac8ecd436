/**
 * tRPC over WebSocket for any router. It behaves as tRPC's own handler does (`ws-handler.test.ts` runs each case against
 * both), but bounds every connection, and pushes our own streams instead of pulling them for each watcher.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { AnyTRPCRouter, TRPCError } from "@trpc/server";
import type { WebSocket } from "ws";
import type { Release } from "#server/limits/open.ts";
import type { Clock } from "#shared/clock.ts";
import type { CredentialLimits } from "#server/transports/callers/credential-end.ts";
import { Deadlines } from "#server/transports/callers/deadlines.ts";
import { GOING_AWAY } from "#server/transports/sockets/close-codes.ts";
import { stagger } from "#server/transports/sockets/stagger.ts";
import type { SocketWriters } from "#server/transports/sockets/socket-writer.ts";
import { newSent, type SentCounts } from "#server/transports/usage.ts";
import { Connection } from "./ws-connection.ts";
import type { CreateConnectionContext } from "./ws-connection-context.ts";
import { createEncodings } from "./ws-encoding.ts";
import type { Call } from "./ws-responses.ts";

export interface HandlerOptions {
  router: AnyTRPCRouter;
  /** Called once for each connection. */
  createContext: CreateConnectionContext;
  /** Returns the error that answers each call of a caller that is not known. Absent: all are. */
  strangersError?(context: unknown): TRPCError | undefined;
  /** Absent: calls are not limited. */
  refusedCall?(context: unknown): Promise<TRPCError> | undefined;
  /** Absent: subscriptions are not limited. */
  openSubscription?(context: unknown): Promise<Release> | undefined;
  onError(error: TRPCError, call: Call, context: unknown): void;
  /** Reports a socket error, caused by the client or the network. The connection is being closed. */
  onBroken(error: TRPCError, context: unknown): void;
  writers: SocketWriters;
  credentialLimits: CredentialLimits;
  /** By which credentials end. */
  clock: Clock;
  /** A client that is silent for `intervalMs` is pinged; if it stays silent for `timeoutMs`, its socket is terminated. */
  ping: { intervalMs: number; timeoutMs: number };
}

export interface Handler {
  /** `socket` is the socket of the upgrade request. */
  serve(ws: WebSocket, socket: Duplex, req: IncomingMessage): void;
  /** How many connections are open, and were opened, and what was sent to them of streams. */
  count(): { open: number; opened: number; sent: Readonly<SentCounts> };
  /** Tells every client to reconnect. */
  tellToReconnect(): void;
  /**
   * Tells one client after the other to reconnect. Each closes its old connection once the calls on it are answered.
   * Resolves when all have, after `ms` at the latest.
   */
  handOver(ms: number): Promise<void>;
  /** Tells all clients to reconnect, and closes their connections. Terminates those still open after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** The number of checks for silent clients within the shorter of the ping times. */
const LOOKS = 4;

export function openHandler(options: HandlerOptions): Handler {
  const { router, createContext, writers, ping } = options;
  const connections = new Set<Connection>();
  const deadlines = new Deadlines(options.clock);
  const sent = newSent();
  let opened = 0;

  function report(error: TRPCError, call: Call, context: unknown): void {
    neverThrow(() => options.onError(error, call, context));
  }

  /** Called when the last connection has closed. */
  let allGone: (() => void) | undefined;
  const shared = {
    router,
    createContext,
    strangersError: (context: unknown) => options.strangersError?.(context),
    refusedCall: (context: unknown) => options.refusedCall?.(context),
    openSubscription: (context: unknown) => options.openSubscription?.(context),
    encodings: createEncodings(router._def._config, (error, call) =>
      report(error, call, undefined),
    ),
    writers,
    sent,
    deadlines,
    credentialLimits: options.credentialLimits,
    report,
    broken: (error: TRPCError, context: unknown) =>
      neverThrow(() => options.onBroken(error, context)),
    closed(connection: Connection) {
      connections.delete(connection);
      if (connections.size === 0) allGone?.();
    },
  };

  const timer = setInterval(
    () => {
      const now = performance.now();
      for (const connection of connections) {
        const { ws, askedAt } = connection;
        const heardAt = connection.heardAt();
        if (heardAt === undefined || ws.readyState !== ws.OPEN) {
          connection.askedAt = undefined;
        } else if (askedAt !== undefined && heardAt < askedAt) {
          if (now - askedAt >= ping.timeoutMs) ws.terminate();
        } else if (now - heardAt >= ping.intervalMs) {
          connection.askedAt = now;
          connection.say("PING");
        }
      }
    },
    Math.min(ping.intervalMs, ping.timeoutMs) / LOOKS,
  ).unref();

  const tellToReconnect = () => connections.forEach(tellOne);

  async function untilGone(ms: number): Promise<void> {
    if (connections.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    allGone = resolve;
    const patience = setTimeout(resolve, ms);
    await promise;
    clearTimeout(patience);
  }

  return {
    tellToReconnect,
    count: () => ({ open: connections.size, opened, sent }),
    serve(ws, socket, req) {
      opened += 1;
      connections.add(new Connection(ws, socket, req, shared));
    },
    async handOver(ms) {
      const begin = performance.now();
      const told = new Set(connections);
      await stagger([...told], ms / 2, tellOne);
      await untilGone(begin + ms / 2 - performance.now());
      // A balancer may have sent clients back to this gateway. Tell these too, but no connection twice.
      await stagger([...connections.difference(told)], ms / 4, tellOne);
      await untilGone(begin + ms - performance.now());
    },
    async close(graceMs) {
      clearInterval(timer);
      deadlines.close();
      tellToReconnect();
      for (const { ws } of connections) ws.close(GOING_AWAY, "The server is restarting");
      await untilGone(graceMs);
      for (const { ws } of connections) ws.terminate();
      await untilGone(graceMs);
    },
  };
}

function tellOne(connection: Connection): void {
  connection.tellToReconnect();
}

/** For callbacks whose exceptions would end the process. */
function neverThrow(call: () => void): void {
  try {
    call();
  } catch {
    // Error listeners handle their own errors.
  }
}
