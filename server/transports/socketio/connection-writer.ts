/**
 * Writes to one connection. Engine.IO keeps unsent packets in an unbounded list. The writer is full when that list reaches a
 * high-water mark, of packets or of bytes, or when the socket is full (S7). It closes the connection of a client that sends
 * requests without reading the answers, and of one that stalls.
 */
import type { Socket } from "socket.io";
import { WebSocket } from "ws";
import { sharedListener } from "#server/transports/sockets/shared-listener.ts";
import type { WriterHooks } from "#server/transports/sockets/socket-writer.ts";
import type { Compression } from "#server/transports/sockets/compression.ts";
import { compressionOf } from "#server/transports/sockets/websocket-server.ts";
import type { SentCounts } from "#server/transports/usage.ts";
import { type Inflow, inflowOf } from "./inflow.ts";
import type { Packet } from "./packet.ts";
import { underlyingWebSocket } from "./underlying-websocket.ts";

/** The Engine.IO connection below a Socket.IO socket. */
export type Connection = Socket["conn"];

/** Low, so that a client that polls rarely receives the current state rather than old ones. */
const HIGH_WATER_PACKETS = 64;
/** More than the packets that answer a client which subscribes up to its limit at once, with acknowledgements. */
const MAX_UNREAD_PACKETS = 5000;

const WRITER = Symbol("writer");
type WithWriter = Connection & { [WRITER]?: ConnectionWriter };

/** Engine.IO's list of unsent packets, which its types hide. Tests fail if it disappears. */
interface WithList {
  readonly writeBuffer: readonly unknown[];
}

export interface DrainListener {
  /** Called each time the writer drains. */
  onDrain(): void;
}

const NONE: readonly DrainListener[] = [];

/** Counts of what was sent to all connections, by the way in which they are connected. */
export interface SentByWay {
  readonly websocket: SentCounts;
  readonly polling: SentCounts;
}

/** Call it before the first packet, which precedes the join. `highWaterBytes` bounds the bytes in Engine.IO's list. */
export function createConnectionWriter(
  connection: Connection,
  highWaterBytes: number,
  sent: SentByWay,
): ConnectionWriter {
  const writer = new ConnectionWriter(connection, highWaterBytes, sent);
  (connection as WithWriter)[WRITER] = writer;
  return writer;
}

/** Returns the writer that `createConnectionWriter` created for this connection. */
export function connectionWriterOf(connection: Connection): ConnectionWriter {
  const writer = (connection as WithWriter)[WRITER];
  if (writer === undefined) throw new Error("The connection has no writer.");
  return writer;
}

export class ConnectionWriter implements WriterHooks {
  readonly #connection: Connection;
  readonly #highWaterBytes: number;
  readonly #sent: SentByWay;
  /** Of the packets in Engine.IO's list, if it has any. */
  #bytes = 0;
  /** True from when the list is full until it is sent. */
  #isListening = false;
  #ws: WebSocket | undefined;
  #inflow: Inflow | undefined;
  #isReading = true;
  #drainListeners = NONE;

  constructor(connection: Connection, highWaterBytes: number, sent: SentByWay) {
    this.#connection = connection;
    this.#highWaterBytes = highWaterBytes;
    this.#sent = sent;
    this.#findBelow();
    connection.on("packetCreate", ConnectionWriter.#onPacketCreate);
    if (this.#ws === undefined) connection.on("upgrade", ConnectionWriter.#onUpgrade);
  }

  static readonly #onPacketCreate = sharedListener(
    (connection: Connection, { data }: { data?: string | Buffer }) =>
      connectionWriterOf(connection).#onPacket(data?.length ?? 0),
  );
  static readonly #onUpgrade = sharedListener((connection: Connection) =>
    connectionWriterOf(connection).#findBelow(),
  );

  get sent(): SentCounts {
    return this.#ws === undefined ? this.#sent.polling : this.#sent.websocket;
  }

  addDrainListener(listener: DrainListener): void {
    this.#drainListeners = this.#drainListeners.concat(listener);
  }

  removeDrainListener(listener: DrainListener): void {
    this.#drainListeners = this.#drainListeners.filter((each) => each !== listener);
  }

  /** Accepts the packets even when full. */
  send(packets: readonly Packet[]): void {
    for (const { data, options: how } of packets) {
      if (!this.write(how.wsPreEncodedFrame[0])) this.#connection.write(data, how);
    }
  }

  /** Writes whole frames to the socket. Returns `false` if that is impossible now; the caller then sends packets. */
  write(frames: Uint8Array): boolean {
    // Frames must not overtake packets in the list.
    if (this.#ws?.readyState !== WebSocket.OPEN || this.#packets() > 0) return false;
    if (this.#inflow === undefined) return false;
    this.#inflow.writer.write(frames);
    return true;
  }

  /** The client's inflater; `undefined` also while no frames can be written. */
  get compression(): Compression | undefined {
    return this.#packets() > 0 ? undefined : compressionOf(this.#ws);
  }

  isFull(): boolean {
    return this.#isListFull() || this.#inflow?.writer.isFull() === true;
  }

  /** Has no effect on a polling client, of which each body is limited. */
  pauseReading(): void {
    this.#isReading = false;
    this.#inflow?.pause();
  }

  resumeReading(): void {
    this.#isReading = true;
    this.#inflow?.resume();
  }

  onDrain(): void {
    for (const listener of this.#drainListeners) listener.onDrain();
  }

  onStall(): void {
    this.#connection.close(true);
  }

  /** The number of packets of any type in Engine.IO's list. */
  #packets(): number {
    return (this.#connection as unknown as WithList).writeBuffer.length;
  }

  #isListFull(): boolean {
    const packets = this.#packets();
    return packets >= HIGH_WATER_PACKETS || (packets > 0 && this.#bytes >= this.#highWaterBytes);
  }

  #findBelow(): void {
    this.#ws = underlyingWebSocket(this.#connection);
    this.#inflow = this.#ws && inflowOf(this.#ws);
    if (this.#inflow === undefined) return;
    this.#inflow.owner = this;
    if (!this.#isReading) this.#inflow.pause();
  }

  /** Engine.IO is about to add a packet to its list. */
  #onPacket(bytes: number): void {
    this.#inflow?.writer.flush();
    this.#inflow?.readUnlessFull();
    const packets = this.#packets() + 1;
    this.#bytes = packets === 1 ? bytes : this.#bytes + bytes;
    if (packets > MAX_UNREAD_PACKETS) return this.#connection.close(true);
    const isFull = packets >= HIGH_WATER_PACKETS || this.#bytes >= this.#highWaterBytes;
    if (!isFull || this.#isListening) return;
    this.#isListening = true;
    this.#connection.once("drain", () => {
      this.#isListening = false;
      this.onDrain();
    });
  }
}
