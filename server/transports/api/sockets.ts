/** The WebSockets of the API: an upgrade at the path of a stream. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { createStrangers } from "#server/transports/limits/strangers.ts";
import { GOING_AWAY } from "#server/transports/sockets/close-codes.ts";
import { openSocketWriters } from "#server/transports/sockets/socket-writer.ts";
import { stagger } from "#server/transports/sockets/stagger.ts";
import { BoundedWebSocketServer } from "#server/transports/sockets/websocket-server.ts";
import { type ConnectionUsage, newSent } from "#server/transports/usage.ts";
import type { AppError } from "#shared/errors.ts";
import type { Problem } from "./answers.ts";
import type { Frames } from "./frames.ts";
import { SocketStream } from "./socket-stream.ts";
import { type Asked, endWithCaller, type Opener, openStream } from "./streaming.ts";

/** Of a message of a client. It has nothing to say. */
const MAX_MESSAGE_BYTES = 4096;
/** The subprotocol of the streams, for clients that must name one beside their token's. */
export const SUBPROTOCOL = "jobwire";
/** A token of a client that can set no header: `new WebSocket(url, ["jobwire", "bearer." + token])`. */
const BEARER = "bearer.";
/** The number of checks for silent clients within the shorter of the ping times. */
const LOOKS = 4;
/** How long clients may take to close. */
const CLOSE_AFTER_MS = 1000;

export interface Sockets {
  /** Returns the error if the address of the client has too many connections. */
  serve(
    asked: Asked,
    connection: { socket: Duplex; head: Buffer },
    options: { frames: Frames; problemOf: (reason: unknown) => Problem },
  ): AppError | undefined;
  usage(): ConnectionUsage;
  handOver(ms: number): Promise<void>;
  close(): Promise<void>;
}

export function openSockets(opener: Opener): Sockets {
  const { context } = opener;
  const { limits, ping } = context;
  const wss = new BoundedWebSocketServer(
    {
      noServer: true,
      maxPayload: MAX_MESSAGE_BYTES,
      clientTracking: false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    },
    context.compression,
  );
  const writers = openSocketWriters(context.backpressure);
  const strangers = limits && createStrangers(limits);
  const sent = newSent();
  const open = new Set<SocketStream>();
  let opened = 0;
  /** Called when the last connection has closed. */
  let allGone: (() => void) | undefined;

  async function begin(connection: SocketStream, asked: Asked, socket: Duplex): Promise<void> {
    try {
      const { caller, after, stream } = await openStream(opener, asked, socket);
      strangers?.identified(socket);
      if (!connection.isOpen()) return;
      if (stream === undefined) return connection.complete(after);
      endWithCaller(opener, caller, socket, connection);
      connection.begin(stream, after);
    } catch (error) {
      connection.fail(error);
    }
  }

  const timer = setInterval(
    () => {
      const now = performance.now();
      for (const connection of open) look(connection, now, ping);
    },
    Math.min(ping.intervalMs, ping.timeoutMs) / LOOKS,
  ).unref();

  async function untilGone(ms: number): Promise<void> {
    if (open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    allGone = resolve;
    const patience = setTimeout(resolve, ms);
    await promise;
    clearTimeout(patience);
  }

  return {
    serve(asked, { socket, head }, options) {
      const limited = strangers?.add(asked.req, socket);
      if (limited !== undefined) return limited;
      const token = tokenIn(asked.req);
      wss.handleUpgrade(asked.req, socket, head, (ws: WebSocket) => {
        opened += 1;
        const connection = new SocketStream(ws, socket, { ...options, writers, sent });
        open.add(connection);
        ws.once("close", () => {
          open.delete(connection);
          opener.deadlines.delete(connection);
          if (open.size === 0) allGone?.();
        });
        void begin(connection, { ...asked, token }, socket);
      });
      return undefined;
    },
    usage: () => ({ kind: "api-websocket", open: open.size, opened, sent, ...writers.count() }),
    handOver: (ms) => stagger([...open], ms, away),
    async close() {
      clearInterval(timer);
      // `ws` refuses upgrades from now on.
      wss.close();
      for (const connection of open) away(connection);
      await untilGone(CLOSE_AFTER_MS);
      for (const { ws } of open) ws.terminate();
      await untilGone(CLOSE_AFTER_MS);
      writers.close();
    },
  };
}

function away(connection: SocketStream): void {
  connection.close(GOING_AWAY, "Connect again");
}

/** Pings a client that is silent, and ends its connection if it stays so. */
function look(
  connection: SocketStream,
  now: number,
  ping: { intervalMs: number; timeoutMs: number },
): void {
  const { askedAt, heardAt } = connection;
  if (!connection.isOpen()) return;
  if (askedAt !== undefined && heardAt < askedAt) {
    if (now - askedAt >= ping.timeoutMs) connection.ws.terminate();
  } else if (now - heardAt >= ping.intervalMs) {
    connection.askedAt = now;
    connection.ping();
  }
}

/** The header is a list of names, which a browser sends as its page has given them. */
function tokenIn({ headers }: IncomingMessage): string | undefined {
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((each) => each.trim());
  return offered.find((each) => each.startsWith(BEARER))?.slice(BEARER.length);
}
