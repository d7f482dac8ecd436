/**
 * One Socket.IO server, for the clients of one path, whose packets have one encoding. All of them share the rest of the
 * transport.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type DefaultEventsMap, Server, type Socket } from "socket.io";
import type { Release } from "#server/limits/open.ts";
import type { Caller, TransportContext } from "#server/transports/contract.ts";
import type { Deadlines } from "#server/transports/callers/deadlines.ts";
import { sharedListener } from "#server/transports/sockets/shared-listener.ts";
import type { SocketWriters } from "#server/transports/sockets/socket-writer.ts";
import { breakOffOnClose } from "./break-off.ts";
import type { BroadcastAdapter } from "./broadcast-adapter.ts";
import { createCalls } from "./calls.ts";
import { createConnections } from "./connection.ts";
import { type Connection, createConnectionWriter } from "./connection-writer.ts";
import type { EngineSessions } from "./engine-sessions.ts";
import { toLegacyError } from "./errors.ts";
import type { createEvict, Evictions } from "./evict.ts";
import type { Handshakes } from "./handshakes.ts";
import { createOpenings } from "./opening.ts";
import type { PacketOf } from "./packet.ts";
import { createPacketLimits } from "./packet-limits.ts";
import { startPings } from "./pings.ts";
import { createPosts } from "./posts.ts";
import { createRestore, type Restored } from "./restore.ts";
import type { SessionCounts } from "./session-counts.ts";
import { createWebSocketEngine } from "./websocket-engine.ts";

/** Requests hold only an id. The server answers a bad request of up to this size; a larger one closes the connection. */
const MAX_MESSAGE_BYTES = 1.5 * 1024 * 1024;

/** The parts that the servers share. */
export interface Shared {
  context: TransportContext;
  writers: SocketWriters;
  sessionCounts: SessionCounts;
  deadlines: Deadlines;
  engineSessions: EngineSessions;
  handshakes: Handshakes | undefined;
  evictions: ReturnType<typeof createEvict>;
  /** Sockets that have not joined yet, by id. */
  joining: Map<string, Socket>;
  /** Present if there are several gateways. */
  broadcast: BroadcastAdapter | undefined;
  isClosing(): boolean;
}

export interface PacketEncoding {
  path: string;
  /** Accept clients of Socket.IO version 2. */
  allowEio3: boolean;
  packetOf: PacketOf;
  /** Its packets are texts without NUL, which can be compressed for WebSockets. */
  isText: boolean;
  /** Absent: Socket.IO's own. */
  parser?: object;
}

export interface IoServer {
  request(req: IncomingMessage, res: ServerResponse): void;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): Promise<void>;
}

/** A joining client, and its restored state. */
interface Admitted {
  caller: Caller;
  restored: Restored;
}

/** A private field of Socket.IO's `Socket` that goes into its CONNECT packet. Tests fail if Socket.IO changes that. */
interface WithPid {
  pid: string;
}

export function createIoServer(shared: Shared, encoding: PacketEncoding): IoServer {
  const { context, engineSessions, handshakes, joining, broadcast } = shared;
  const { identify, limits, ping, log } = context;
  const { highWaterBytes } = context.backpressure;
  const open = createOpenings({ ...context, packetOf: encoding.packetOf });
  const call = createCalls(context);
  const { deadlines, sessionCounts } = shared;
  const limitPackets = createPacketLimits((each) => engineSessions.hasJoined(each));
  const serveConnection = createConnections({ ...context, open, call, deadlines });

  // Socket.IO needs a server to attach to, and takes over its listeners. It gets one that never listens; this transport
  // passes requests and upgrades to its engine.
  const io = new Server<DefaultEventsMap, DefaultEventsMap, Evictions>(createServer(), {
    path: encoding.path,
    serveClient: false,
    transports: ["polling", "websocket"],
    allowEIO3: encoding.allowEio3,
    pingInterval: ping.intervalMs,
    pingTimeout: ping.timeoutMs,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    wsEngine: createWebSocketEngine(shared.writers, context.compression && encoding.isText),
    // `requests/compression.ts` compresses the answers to polls, with less memory.
    httpCompression: false,
    ...(encoding.parser && { parser: encoding.parser }),
    ...(broadcast && { adapter: broadcast.adapter }),
    allowRequest(_req, answer) {
      const refusal = shared.isClosing()
        ? "The server is restarting. Try again."
        : engineSessions.refusal();
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
  if (broadcast) engine.generateId = broadcast.sessionId;
  engine.on("connection", breakOffOnClose);
  engine.on("connection", (client: Connection) => {
    createConnectionWriter(client, highWaterBytes, sessionCounts.sent);
    sessionCounts.add(client);
    startPings(client);
    engineSessions.add(client);
    limitPackets(client);
    handshakes?.opened(client);
  });
  engine.on("connection_error", ({ code, message }: { code: number; message: string }) => {
    log.debug({ code, reason: message }, "A Socket.IO connection was refused");
  });

  shared.evictions.add(io);
  const restore = createRestore({
    sessions: context.sessions,
    open,
    evict: (socketId) => shared.evictions.evict(socketId),
  });
  const admitted = new WeakMap<Socket, Admitted>();
  const onLeft = sharedListener(({ conn }: Socket) => engineSessions.left(conn));

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
        context.observer?.callFailed("socketio", code);
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
    socket.on("disconnect", onLeft);
    const how = admitted.get(socket);
    admitted.delete(socket);
    if (how !== undefined) serveConnection(socket, how.caller, how.restored);
  });

  return {
    request(req, res) {
      if (req.method === "POST") servePost(req, res);
      else engine.handleRequest(req, res);
    },
    upgrade: (req, socket, head) => engine.handleUpgrade(req, socket, head),
    close: () => io.close(),
  };
}

function countOff(socket: Socket, release: Release): void {
  // One that has closed emits nothing more.
  if (socket.conn.readyState !== "open") return release();
  socket.once("disconnect", release);
  socket.conn.once("close", release);
}
