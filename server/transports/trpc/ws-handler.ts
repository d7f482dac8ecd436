/**
 * tRPC over WebSocket for any router. It does what tRPC's own handler does and speaks its protocol to the letter
 * (`ws-handler.test.ts` runs each case against both), but keeps every connection bounded, and pushes streams that
 * are ours instead of pulling them for each watcher.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { AnyTRPCRouter, TRPCError } from "@trpc/server";
import type { CreateWSSContextFnOptions } from "@trpc/server/adapters/ws";
import type { WebSocket } from "ws";
import type { Wires } from "#server/transports/wires.ts";
import { Connection } from "./ws-connection.ts";
import { createFrames } from "./entry-frames.ts";
import { type Call, createResponses } from "./ws-responses.ts";

export interface HandlerOptions {
  router: AnyTRPCRouter;
  /** Called once for each connection. */
  createContext(options: CreateWSSContextFnOptions): unknown;
  onError(error: TRPCError, call: Call, context: unknown): void;
  wires: Wires;
  /** A client that is silent for `intervalMs` is asked; one that then says nothing for `timeoutMs` is cut off. */
  ping: { intervalMs: number; timeoutMs: number };
}

export interface Handler {
  /** `socket` is the one that the upgrade came on. */
  serve(ws: WebSocket, socket: Duplex, req: IncomingMessage): void;
  /** Tells every client to open another connection. */
  tellToReconnect(): void;
  close(): void;
}

/** How often silent clients are looked for, as a part of the time that they have. */
const LOOKS = 4;

export function openHandler(options: HandlerOptions): Handler {
  const { router, createContext, wires, ping } = options;
  const connections = new Set<Connection>();

  function report(error: TRPCError, call: Call, context: unknown): void {
    try {
      options.onError(error, call, context);
    } catch {
      // It is called where a throw would end the process.
    }
  }

  const responses = createResponses(router._def._config, (error, call) =>
    report(error, call, undefined),
  );
  const shared = {
    router,
    createContext,
    responses,
    framesOf: createFrames(responses.entryAfterId),
    wires,
    report,
    closed: (connection: Connection) => void connections.delete(connection),
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

  return {
    serve(ws, socket, req) {
      connections.add(new Connection(ws, socket, req, shared));
    },
    tellToReconnect() {
      for (const connection of connections) connection.say('{"id":null,"method":"reconnect"}');
    },
    close: () => clearInterval(timer),
  };
}
