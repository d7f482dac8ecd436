/**
 * Backpressure on a WebSocket of Engine.IO. The server does not read from it while its socket is full. That holds from the
 * first byte on, even while the client probes for an upgrade and before it joins, and for answers of every origin:
 * Engine.IO (probes, heartbeats), Socket.IO (acknowledgements, errors), this transport (events, pongs).
 */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { pongFrame } from "#server/transports/sockets/pong-frame.ts";
import { sharedListener } from "#server/transports/sockets/shared-listener.ts";
import type {
  SocketWriter,
  WriterHooks,
  SocketWriters,
} from "#server/transports/sockets/socket-writer.ts";

/**
 * Messages that the server reads while bytes wait for their sender: more than a client sends that subscribes up to its
 * limit. Until it is sent, a small answer takes a hundred times its bytes in memory.
 */
const MAX_UNANSWERED = 2048;

const INFLOW = Symbol("inflow");
type Watched = WebSocket & { [INFLOW]?: Inflow };

const onMessage = sharedListener((ws: Watched) => ws[INFLOW]?.heard());
const onPing = sharedListener((ws: Watched, payload: Buffer) => ws[INFLOW]?.pinged(payload));
const onClose = sharedListener((ws: Watched) => ws[INFLOW]?.writer.release());

/** Returns `undefined` if Engine.IO did not create the WebSocket through `websocket-engine.ts`. */
export function inflowOf(ws: WebSocket): Inflow | undefined {
  return (ws as Watched)[INFLOW];
}

export class Inflow implements WriterHooks {
  readonly writer: SocketWriter;
  /** Receives the writer's events too, once the socket belongs to a connection. */
  owner: WriterHooks | undefined;
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  #unanswered = 0;
  /** True while the owner wants no more messages. */
  #isHeld = false;
  /** True from `waitForDrain` to `onDrain`. */
  #isDraining = false;

  constructor(ws: WebSocket, socket: Duplex, writers: SocketWriters) {
    this.#ws = ws;
    this.#socket = socket;
    this.writer = writers.open(socket, this);
    (ws as Watched)[INFLOW] = this;
    ws.on("message", onMessage);
    ws.on("ping", onPing);
    ws.on("close", onClose);
  }

  heard(): void {
    this.#unanswered = this.#socket.writableLength === 0 ? 0 : this.#unanswered + 1;
    this.readUnlessFull();
  }

  pinged(payload: Buffer): void {
    // RFC 6455 (5.5.3) allows answering only the newest of several pings.
    if (this.#ws.readyState === this.#ws.OPEN && !this.writer.isFull()) {
      this.writer.write(pongFrame(payload));
    }
    this.readUnlessFull();
  }

  /** Stops reading until `resume()`, however much room the socket has. */
  pause(): void {
    this.#isHeld = true;
    this.readUnlessFull();
  }

  resume(): void {
    this.#isHeld = false;
    if (!this.writer.isFull()) this.#ws.resume();
  }

  /** Call it after each write. */
  readUnlessFull(): void {
    if (this.writer.isFull()) return this.#ws.pause();
    const isUnread = this.#unanswered > MAX_UNANSWERED;
    if (!isUnread && !this.#isHeld) return;
    this.#ws.pause();
    // While it is held, a client that takes nothing stalls below the writer's mark too.
    if (this.#isDraining || (!isUnread && this.#socket.writableLength === 0)) return;
    this.#isDraining = true;
    this.writer.waitForDrain();
  }

  onDrain(): void {
    this.#unanswered = 0;
    this.#isDraining = false;
    if (!this.#isHeld && !this.writer.isFull()) this.#ws.resume();
    this.owner?.onDrain();
  }

  onStall(): void {
    if (this.owner === undefined) this.#ws.terminate();
    else this.owner.onStall();
  }
}
