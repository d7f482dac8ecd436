/**
 * Socket.IO for deployed clients of the older Python system: browser JavaScript and python-socketio, over WebSocket and
 * polling. They receive the same streams as other clients, under the older system's names. Clients with
 * `socket.io-msgpack-parser` have a path of their own.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "socket.io";
import type { Transport, TransportContext } from "#server/transports/contract.ts";
import { Deadlines } from "#server/transports/callers/deadlines.ts";
import { refuseLimited, refuseLimitedUpgrade } from "#server/transports/requests/refusals.ts";
import { sharedListener } from "#server/transports/sockets/shared-listener.ts";
import { stagger } from "#server/transports/sockets/stagger.ts";
import { openSocketWriters } from "#server/transports/sockets/socket-writer.ts";
import { createClientFiles, isClientFile } from "./client-files.ts";
import type { BroadcastAdapter } from "./broadcast-adapter.ts";
import { createEvict } from "./evict.ts";
import { createHandshakes } from "./handshakes.ts";
import { createIoServer, type PacketEncoding, type Shared } from "./io-server.ts";
import { MSGPACK_PARSER, msgpackPacketOf } from "./msgpack-parser.ts";
import { jsonPacketOf } from "./packet.ts";
import { SessionCounts } from "./session-counts.ts";
import { type EngineSessionLimits, EngineSessions } from "./engine-sessions.ts";

export interface SocketioOptions {
  /** Accept clients of Socket.IO version 2. */
  allowEio3: boolean;
  sessions?: Partial<EngineSessionLimits> | undefined;
  /** Present if there are several gateways. */
  broadcast?: BroadcastAdapter | undefined;
}

const JSON_PATH = "/socket.io";
const MSGPACK_PATH = "/socket.io-msgpack";
/** Each session takes some ten kilobytes. */
const MAX_SESSIONS = 10_000;
const MAX_UNJOINED = 1000;
/** How long clients that were told to reconnect may take to close before the server terminates their connections. */
const CLOSE_AFTER_MS = 1000;

const MSGPACK: PacketEncoding = {
  path: MSGPACK_PATH,
  // Their parser has another form.
  allowEio3: false,
  packetOf: msgpackPacketOf,
  isText: false,
  parser: MSGPACK_PARSER,
};

export function createSocketioTransport(
  context: TransportContext,
  options: SocketioOptions,
): Transport {
  const { limits } = context;
  const { broadcast } = options;
  const handshakes = limits && createHandshakes(limits);
  const writers = openSocketWriters(context.backpressure);
  const deadlines = new Deadlines(context.clock);
  const joinDeadlines = new Deadlines();
  const serveFile = createClientFiles();
  const upgraded = new Set<Duplex>();
  const onUpgradedClose = sharedListener((socket: Duplex) => void upgraded.delete(socket));
  const engineSessions = new EngineSessions(
    {
      max: MAX_SESSIONS,
      maxUnjoined: MAX_UNJOINED,
      joinMs: context.credentialLimits.identifyMs,
      ...options.sessions,
    },
    joinDeadlines,
  );
  const sessionCounts = new SessionCounts();
  let closing = false;
  const joining = new Map<string, Socket>();
  const shared: Shared = {
    context,
    writers,
    sessionCounts,
    deadlines,
    engineSessions,
    handshakes,
    joining,
    evictions: createEvict({ joining, isShared: broadcast !== undefined }),
    broadcast,
    isClosing: () => closing,
  };
  const { allowEio3 } = options;
  const json = createIoServer(shared, {
    path: JSON_PATH,
    allowEio3,
    packetOf: jsonPacketOf,
    isText: true,
  });
  const msgpack = createIoServer(shared, MSGPACK);
  const serverFor = ({ url = "" }: IncomingMessage) =>
    isAt(MSGPACK_PATH, url.split("?", 1)[0] ?? "") ? msgpack : json;

  return {
    name: "socketio",
    usage: () => sessionCounts.usage(engineSessions.all(), writers.count()),
    countsSessions: true,
    access(path) {
      if (isClientFile(path)) return "page";
      return isAt(JSON_PATH, path) || isAt(MSGPACK_PATH, path) ? "data" : undefined;
    },
    request(req, res) {
      if (serveFile(req, res)) return;
      const limited = handshakes?.refusal(req, res);
      if (limited !== undefined) return refuseLimited(res, limited, this);
      serverFor(req).request(req, res);
    },
    upgrade(req, socket, head) {
      const asked = withoutBody(req);
      const limited = handshakes?.refusal(asked, socket);
      if (limited !== undefined) return refuseLimitedUpgrade(socket, limited, this);
      upgraded.add(socket);
      socket.on("close", onUpgradedClose);
      serverFor(asked).upgrade(asked, socket, head);
    },
    refusal(status, message, retryAfterMs) {
      if (status !== 429) return undefined;
      return JSON.stringify({ code: "RATE_LIMITED", message, retry_after_ms: retryAfterMs });
    },
    // Closes below Socket.IO, as `close` does.
    handOver: (ms) => stagger(engineSessions.all(), ms, (client) => client.close(true)),
    async close() {
      closing = true;
      const gone = [...upgraded].map(
        (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
      );
      // Ends the connections below Socket.IO: clients treat that as a lost connection, and reconnect. After a Socket.IO
      // disconnect, JavaScript clients would not.
      await Promise.all([json.close(), msgpack.close()]);
      const timer = setTimeout(
        () => upgraded.forEach((socket) => socket.destroy()),
        CLOSE_AFTER_MS,
      );
      await Promise.all(gone);
      clearTimeout(timer);
      deadlines.close();
      joinDeadlines.close();
      writers.close();
      broadcast?.close();
    },
  };
}

/** `path` has no query. */
function isAt(prefix: string, path: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

/**
 * Engine.IO keeps the request of each WebSocket while it is open, and Socket.IO reads it at each CONNECT. They need only a
 * fraction of the state that Node keeps for a request that may have a body.
 */
function withoutBody({
  method,
  url,
  headers,
  httpVersion,
  socket,
}: IncomingMessage): IncomingMessage {
  return { method, url, headers, httpVersion, socket, connection: socket } as IncomingMessage;
}
