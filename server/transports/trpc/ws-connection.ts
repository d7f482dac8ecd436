/**
 * One WebSocket connection of tRPC's protocol. For the stock client it behaves as tRPC's own handler does.
 *
 * It is bounded (S7, H3). The server does not read from a client whose socket is full, or whose earlier messages still wait
 * (`ws-intake.ts`), so further messages wait in the client's kernel.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type AnyTRPCRouter, getTRPCErrorFromUnknown, type TRPCError } from "@trpc/server";
import type { WebSocket } from "ws";
import type { Release } from "#server/limits/open.ts";
import { TRY_AGAIN_LATER } from "#server/transports/sockets/close-codes.ts";
import { MAX_STRANGER_BYTES } from "#server/transports/requests/stranger-limit.ts";
import type { Compression } from "#server/transports/sockets/compression.ts";
import { compressionOf } from "#server/transports/sockets/websocket-server.ts";
import { ResumeQueue } from "#server/transports/sockets/resume-queue.ts";
import { pongFrame } from "#server/transports/sockets/pong-frame.ts";
import type { SocketWriter, WriterHooks } from "#server/transports/sockets/socket-writer.ts";
import type { SentCounts } from "#server/transports/usage.ts";
import type { LastingConnection } from "./context.ts";
import type { Encoding } from "./ws-encoding.ts";
import { type Address, framed, type Payload, type Received } from "./ws-format.ts";
import { DrainWaiters } from "./ws-drain-waiters.ts";
import { FirstMessage } from "./ws-first-message.ts";
import { Intake, type IntakeOwner } from "./ws-intake.ts";
import { listenTo } from "./ws-listeners.ts";
import type { ConnectionContext } from "./ws-connection-context.ts";
import { Lifetime } from "./ws-lifetime.ts";
import { type Item, type Params, readParams, tooLargeOfStranger } from "./ws-message.ts";
import { readOrRefuse, type ReadPeer } from "./ws-read.ts";
import { isPassing, type Peer, Requests } from "./ws-requests.ts";
import { requestInfo } from "./ws-request-info.ts";
import { type Call, NO_CALL } from "./ws-responses.ts";

/** How long a connection without a context still answers calls before it closes. */
const LAST_ANSWERS_MS = 1000;

type Admission = { ok: true } | { ok: false; error: TRPCError };
const ADMITTED = Promise.resolve<Admission>({ ok: true });

/** A class to save memory: connections are many, and most of them are idle. */
export class Connection implements Peer, WriterHooks, IntakeOwner, ReadPeer, LastingConnection {
  readonly ws: WebSocket;
  readonly writer: SocketWriter;
  /** When the last unanswered PING was sent; `undefined` if there is none. */
  askedAt: number | undefined;
  readonly #shared: ConnectionContext<Connection>;
  readonly #requests = new Requests(this);
  /** Follows from the address, or else from the client's first message: `undefined` until then. */
  #encoding: Encoding | undefined;
  /** Absent while nothing waits for it. */
  #firstMessage: FirstMessage | undefined;
  #heardAt = performance.now();
  /** The upgrade request, until the first message brings the `connectionParams`. */
  #unadmitted: IncomingMessage | undefined;
  /** `undefined` until the first message if that message brings the `connectionParams`. */
  #admission: Promise<Admission> | undefined;
  #context: unknown;
  /** `undefined` while no message waits and no request is under way. */
  #intake: Intake | undefined;
  #resumeQueue: ResumeQueue | undefined;
  /** Absent until a pulled stream has waited. */
  #drainWaiters: DrainWaiters | undefined;
  #lifetime: Lifetime | undefined;
  /** Created when a procedure first reads its signal. */
  #closed: AbortController | undefined;

  constructor(
    ws: WebSocket,
    socket: Duplex,
    req: IncomingMessage,
    shared: ConnectionContext<Connection>,
  ) {
    this.ws = ws;
    this.#shared = shared;
    this.writer = shared.writers.open(socket, this);

    // With `connectionParams`, the first message gives the context.
    const query = new URLSearchParams(req.url?.split("?")[1]);
    if (query.get("encoding") === "msgpack") this.#encoding = shared.encodings.msgpack;
    if (query.get("connectionParams") === "1") {
      this.#unadmitted = req;
      this.lifetime().begin();
    } else this.#admission = this.#admit(req, () => null);
    listenTo(ws, this);
  }

  get router(): AnyTRPCRouter {
    return this.#shared.router;
  }

  /** JSON while it is not known. */
  get encoding(): Encoding {
    return this.#encoding ?? this.#shared.encodings.json;
  }

  get compression(): Compression | undefined {
    return compressionOf(this.ws);
  }

  get sent(): SentCounts {
    return this.#shared.sent;
  }

  get resumeQueue(): ResumeQueue {
    return (this.#resumeQueue ??= new ResumeQueue(this.writer));
  }

  lifetime(): Lifetime {
    return (this.#lifetime ??= new Lifetime(this, this.#shared));
  }

  close(code: number, reason: string): void {
    this.writer.flush();
    this.ws.close(code, reason);
    this.#requests.leave();
  }

  /** Sends it at once. Drops it if the connection is closing. */
  say(payload: Payload): void {
    this.send(payload);
    this.writer.flush();
  }

  send(payload: Payload): void {
    if (this.isOpen()) this.writer.write(framed(payload));
  }

  /** Closes the connection of a client that has asked nothing yet, and so misses nothing: it comes back. */
  tellToReconnect(): void {
    this.#tellInItsEncoding(
      () => this.say(this.encoding.reconnect),
      () => this.close(TRY_AGAIN_LATER, "Connect again"),
    );
  }

  isOpen(): boolean {
    return this.ws.readyState === this.ws.OPEN;
  }

  /** The time of the last read, as `performance.now()`. `undefined` while reading is paused. */
  heardAt(): number | undefined {
    return this.ws.isPaused ? undefined : this.#heardAt;
  }

  onDrain(): void {
    this.#resumeQueue?.resume();
    this.#drainWaiters?.wake();
    this.readOn();
  }

  onStall(): void {
    // The client receives the close frame when it reads again; until then it costs only its socket.
    this.ws.close(TRY_AGAIN_LATER, "Nothing was read for too long");
    this.#requests.leave();
  }

  async untilDrain(): Promise<void> {
    if (!this.isOpen() || !this.writer.isFull()) return;
    await (this.#drainWaiters ??= new DrainWaiters()).wait();
  }

  async context(): Promise<unknown> {
    const admitted = await this.#admission;
    if (admitted?.ok === false) throw admitted.error;
    return this.#context;
  }

  refusedCall(context: unknown): Promise<TRPCError> | undefined {
    return this.#shared.refusedCall(context);
  }

  openSubscription(context: unknown): Promise<Release> | undefined {
    return this.#shared.openSubscription(context);
  }

  report(error: TRPCError, call: Call): void {
    this.#shared.report(error, call, this.#context);
  }

  describe(to: Address, error: TRPCError, call: Call): Payload {
    return this.encoding.responses.error(to, error, call, this.#context);
  }

  heard(data: Buffer, isBinary: boolean): void {
    if (!this.isOpen()) return;
    this.#heardAt = performance.now();
    const received = isBinary ? data : data.toString();
    if (received !== "PONG") (this.#intake ??= new Intake(this)).add(received);
    this.readOn();
  }

  pinged(payload: Buffer): void {
    this.#heardAt = performance.now();
    if (this.isOpen() && !this.writer.isFull()) this.writer.write(pongFrame(payload));
    this.readOn();
  }

  broke(cause: Error): void {
    this.#shared.broken(getTRPCErrorFromUnknown(cause), this.#context);
  }

  closed(): void {
    this.#intake = undefined;
    this.#requests.leave();
    this.#drainWaiters?.wake();
    this.writer.release();
    this.#lifetime?.closed();
    this.#closed?.abort();
    this.#shared.closed(this);
  }

  isFull(): boolean {
    return this.writer.isFull();
  }

  /** Handles received messages, and reads further ones while none waits and the writer is not full. */
  readOn(): void {
    this.#intake?.takeUp();
    if (this.#intake?.isIdle() ?? false) this.#intake = undefined;
    if (!this.isOpen()) return;
    if ((this.#intake?.hasWaiting() ?? false) || this.writer.isFull()) {
      this.ws.pause();
    } else if (this.ws.isPaused) {
      this.#heardAt = performance.now();
      this.ws.resume();
    }
  }

  /** A large message waits until the server knows the caller. The credentials themselves come in a message. */
  mayRead({ length }: Received): boolean {
    const isKnown = this.#admission === ADMITTED || this.#unadmitted !== undefined;
    return isKnown || length <= MAX_STRANGER_BYTES;
  }

  takeApart(received: Received): readonly Item[] {
    if (received === "PING") {
      this.send("PONG");
      return [];
    }
    const { json, msgpack } = this.#shared.encodings;
    this.#encoding ??= typeof received === "string" ? json : msgpack;
    this.#firstMessage?.arrived();
    this.#firstMessage = undefined;
    const encoding = this.#encoding;
    if (this.#unadmitted === undefined) {
      return readOrRefuse(this, received, {
        encoding,
        stranger: this.#shared.strangersError(this.#context),
      });
    }
    this.#lifetime?.identifying();
    this.#admission = this.#admit(this.#unadmitted, () => {
      if (received.length > MAX_STRANGER_BYTES) throw tooLargeOfStranger();
      return readParams(() => encoding.decode(received));
    });
    this.#unadmitted = undefined;
    return [];
  }

  async handle({ message, index, refusal }: Item): Promise<void> {
    if (refusal !== undefined) this.#requests.refuse(message, refusal);
    else await this.#requests.handle(message, index);
  }

  tell(id: Address["id"], error: TRPCError): void {
    this.send(this.describe({ id }, error, NO_CALL));
  }

  #tellInItsEncoding(tell: () => void, otherwise: () => void): void {
    if (this.#encoding !== undefined) tell();
    else (this.#firstMessage ??= new FirstMessage()).wait(tell, otherwise);
  }

  async #admit(req: IncomingMessage, paramsOf: () => Params): Promise<Admission> {
    try {
      const connectionParams = paramsOf();
      const signal = () => (this.#closed ??= new AbortController()).signal;
      const info = requestInfo(connectionParams, signal);
      this.#context = await this.#shared.createContext({ req, res: this.ws, info }, this);
      this.#admission = ADMITTED;
      // A large message may have waited for it.
      this.readOn();
      return { ok: true };
    } catch (cause) {
      const error = getTRPCErrorFromUnknown(cause);
      this.report(error, NO_CALL);
      // After an error with the id `null`, tRPC's client waits longer before each next attempt.
      const tell = () => this.tell(null, error);
      if (isPassing(error)) {
        this.#tellInItsEncoding(tell, tell);
        setTimeout(() => this.close(TRY_AGAIN_LATER, error.message), LAST_ANSWERS_MS).unref();
      } else {
        tell();
        setImmediate(() => this.ws.close());
      }
      return { ok: false, error };
    }
  }
}
