/**
 * Socket.IO for deployed clients of the older Python system: browser JavaScript and python-socketio, over WebSocket and
 * polling. They receive the same streams as other clients, under the older system's names.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type DefaultEventsMap, Server, type Socket } from "socket.io";
import type { Release } from "#server/limits/open.ts";
import type { Caller, Transport, TransportContext } from "#server/transports/contract.ts";
import { Deadlines } from "#server/transports/callers/deadlines.ts";
import { refuseLimited, refuseLimitedUpgrade } from "#server/transports/requests/refusals.ts";
import { stagger } from "#server/transports/sockets/stagger.ts";
import { openSocketWriters } from "#server/transports/sockets/socket-writer.ts";
import { breakOffOnClose } from "./break-off.ts";
import { createClientFiles, isClientFile } from "./client-files.ts";
import type { BroadcastAdapter } from "./broadcast-adapter.ts";
import { createConnections } from "./connection.ts";
import { toLegacyError } from "./errors.ts";
import { createOpenings } from "./opening.ts";
import { type Connection, createConnectionWriter } from "./connection-writer.ts";
import { createEvict, type Evictions } from "./evict.ts";
import { limitPackets } from "./packet-limits.ts";
import { startPings } from "./pings.ts";
import { createPosts } from "./posts.ts";
import { createHandshakes } from "./handshakes.ts";
import { createRestore, type Restored } from "./restore.ts";
import { type EngineSessionLimits, EngineSessions } from "./engine-sessions.ts";
import { createWebSocketEngine } from "./websocket-engine.ts";

export interface SocketioOptions {
  /** Accept clients of Socket.IO version 2. */
  allowEio3: boolean;
  sessions?: Partial<EngineSessionLimits> | undefined;
  /** Present if there are several gateways. */
  broadcast?: BroadcastAdapter | undefined;
}

const PATH = "/socket.io";
/** Requests hold only an id. The server answers a bad request of up to this size; a larger one closes the connection. */
const MAX_MESSAGE_BYTES = 1.5 * 1024 * 1024;
/** Each session takes some ten kilobytes. */
const MAX_SESSIONS = 10_000;
const MAX_UNJOINED = 1000;
/** How long clients that were told to reconnect may take to close before the server terminates their connections. */
const CLOSE_AFTER_MS = 1000;

/** A joining client, and its restored state. */
interface Admitted {
  caller: Caller;
  restored: Restored;
}

/** A private field of Socket.IO's `Socket` that goes into its CONNECT packet. Tests fail if Socket.IO changes that. */
interface WithPid {
  pid: string;
}

export function createSocketioTransport(
  context: TransportContext,
  options: SocketioOptions,
): Transport {
  const { identify, limits, ping, log } = context;
  const handshakes = limits && createHandshakes(limits);
  const { highWaterBytes } = context.backpressure;
  const writers = openSocketWriters(context.backpressure);
  const open = createOpenings(context.streams, context.clock);
  const deadlines = new Deadlines(context.clock);
  const joinDeadlines = new Deadlines();
  const serveConnection = createConnections({ ...context, open, deadlines });
  const serveFile = createClientFiles();
  const upgraded = new Set<Duplex>();
  const engineSessions = new EngineSessions(
    {
      max: MAX_SESSIONS,
      maxUnjoined: MAX_UNJOINED,
      joinMs: context.credentialLimits.identifyMs,
      ...options.sessions,
    },
    joinDeadlines,
  );
  let closing = false;

  // Socket.IO needs a server to attach to, and takes over its listeners. It gets one that never listens; this transport
  // passes requests and upgrades to its engine.
  const io = new Server<DefaultEventsMap, DefaultEventsMap, Evictions>(createServer(), {
    path: PATH,
    serveClient: false,
    transports: ["polling", "websocket"],
    allowEIO3: options.allowEio3,
    pingInterval: ping.intervalMs,
    pingTimeout: ping.timeoutMs,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    wsEngine: createWebSocketEngine(writers),
    ...(options.broadcast && { adapter: options.broadcast.adapter }),
    allowRequest(_req, answer) {
      const refusal = closing ? "The server is restarting. Try again." : engineSessions.refusal();
      answer(refusal, refusal === undefined);
    },
    // Do not enable `connectionStateRecovery`: it appends an offset to every event, so that python-socketio calls handlers
    // of one argument with two. `restore.ts` works without it.
  });
  const { engine } = io;

  const servePost = createPosts(
    {
      handleRequest: (req, res) => engine.handleRequest(req, res),
      end: (sid) => engineSessions.end(sid),
    },
    { maxBytes: MAX_MESSAGE_BYTES, log },
  );
  if (options.broadcast) engine.generateId = options.broadcast.sessionId;
  engine.on("connection", breakOffOnClose);
  engine.on("connection", limitPackets);
  engine.on("connection", (client: Connection) => {
    createConnectionWriter(client, highWaterBytes);
    startPings(client);
    engineSessions.add(client);
    handshakes?.opened(client);
  });
  engine.on("connection_error", ({ code, message }: { code: number; message: string }) => {
    log.debug({ code, reason: message }, "A Socket.IO connection was refused");
  });

  const joining = new Map<string, Socket>();
  const restore = createRestore({
    sessions: context.sessions,
    open,
    evict: createEvict(io, { joining, isShared: options.broadcast !== undefined }),
  });
  const admitted = new WeakMap<Socket, Admitted>();

  /**
   * Authenticates a joining client and reads its session. If either is unavailable, it closes the connection below
   * Socket.IO: JavaScript clients do not reconnect after a refusal, but do after a broken connection.
   */
  async function admit(socket: Socket): Promise<Admitted> {
    const { headers, auth } = socket.handshake;
    const token: unknown = auth.token;
    const caller = await identify({
      headers,
      token: typeof token === "string" ? token : undefined,
      address: limits?.addresses.keyOf(socket.request),
    });
    const release = await limits?.openForUser("user_connections", caller.principal);
    if (release !== undefined) countOff(socket, release);
    try {
      return { caller, restored: await restore(socket, caller.principal) };
    } catch (error) {
      socket.conn.close(true);
      throw error;
    }
  }

  io.use((socket, next) => {
    joining.set(socket.id, socket);
    engineSessions.joining(socket.conn);
    const admitting = admit(socket).finally(() => joining.delete(socket.id));
    admitting.then(
      (how) => {
        admitted.set(socket, how);
        (socket as unknown as WithPid).pid = how.restored.pid;
        next();
      },
      (error: unknown) => {
        const { message, ...data } = toLegacyError(error);
        const { code } = data;
        if (code === "INTERNAL") log.error({ err: error }, "A client could not be authenticated");
        // Its client reconnects, as it would not after a refusal.
        if (code === "UNAVAILABLE" || code === "RATE_LIMITED") socket.conn.close(true);
        engineSessions.refused(socket.conn);
        // Required even if the connection is closed: Socket.IO keeps the socket until this call.
        next(Object.assign(new Error(message), { data }));
      },
    );
  });
  io.on("connection", (socket) => {
    engineSessions.joined(socket.conn);
    handshakes?.joined(socket.conn);
    socket.once("disconnect", () => engineSessions.left(socket.conn));
    const how = admitted.get(socket);
    admitted.delete(socket);
    if (how !== undefined) serveConnection(socket, how.caller, how.restored);
  });

  return {
    name: "socketio",
    countsSessions: true,
    access(path) {
      if (path !== PATH && !path.startsWith(`${PATH}/`)) return undefined;
      return isClientFile(path) ? "page" : "data";
    },
    request(req, res) {
      if (serveFile(req, res)) return;
      const limited = handshakes?.refusal(req, res);
      if (limited !== undefined) return refuseLimited(res, limited, this);
      if (req.method === "POST") servePost(req, res);
      else engine.handleRequest(req, res);
    },
    upgrade(req, socket, head) {
      const asked = withoutBody(req);
      const limited = handshakes?.refusal(asked, socket);
      if (limited !== undefined) return refuseLimitedUpgrade(socket, limited, this);
      upgraded.add(socket);
      socket.once("close", () => upgraded.delete(socket));
      engine.handleUpgrade(asked, socket, head);
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
      await io.close();
      const timer = setTimeout(
        () => upgraded.forEach((socket) => socket.destroy()),
        CLOSE_AFTER_MS,
      );
      await Promise.all(gone);
      clearTimeout(timer);
      deadlines.close();
      joinDeadlines.close();
      writers.close();
      options.broadcast?.close();
    },
  };
}

function countOff(socket: Socket, release: Release): void {
  // One that has closed emits nothing more.
  if (socket.conn.readyState !== "open") return release();
  socket.once("disconnect", release);
  socket.conn.once("close", release);
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
