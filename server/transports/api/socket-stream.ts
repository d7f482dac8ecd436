/**
 * A stream as the texts of a WebSocket: `{"id","event","data"}`, as the fields of server-sent events. The client sends nothing. One
 * connection is one stream, and its end closes it.
 */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Entry, Stream } from "#server/streams/open.ts";
import type { DeadlineOwner } from "#server/transports/callers/deadlines.ts";
import type { Chunk } from "#server/transports/sockets/chunks.ts";
import {
  COMPLETE,
  POLICY_VIOLATION,
  TRY_AGAIN_LATER,
} from "#server/transports/sockets/close-codes.ts";
import type { Compression } from "#server/transports/sockets/compression.ts";
import { pongFrame } from "#server/transports/sockets/pong-frame.ts";
import { ResumeQueue } from "#server/transports/sockets/resume-queue.ts";
import type {
  SocketWriter,
  SocketWriters,
  WriterHooks,
} from "#server/transports/sockets/socket-writer.ts";
import {
  type SinkConnection,
  SubscriptionSink,
} from "#server/transports/sockets/subscription-sink.ts";
import { textFrame } from "#server/transports/sockets/text-frame.ts";
import { compressionOf } from "#server/transports/sockets/websocket-server.ts";
import type { SentCounts } from "#server/transports/usage.ts";
import type { AppError } from "#shared/errors.ts";
import type { Problem } from "./answers.ts";
import { endAfter } from "./cursor.ts";
import { END_EVENT, type Frames, PROBLEM_EVENT } from "./frames.ts";

export interface SocketStreamOptions {
  frames: Frames;
  writers: SocketWriters;
  /** Of all connections. */
  sent: SentCounts;
  /** Encodes the error that ended the stream. */
  problemOf(reason: unknown): Problem;
}

export class SocketStream
  extends SubscriptionSink<unknown>
  implements DeadlineOwner, SinkConnection, WriterHooks
{
  readonly ws: WebSocket;
  readonly writer: SocketWriter;
  readonly resumeQueue: ResumeQueue;
  /** When the client was last heard, and when it was asked to answer since; as `performance.now()`. */
  heardAt = performance.now();
  askedAt: number | undefined;
  readonly #options: SocketStreamOptions;
  #last = 0;

  constructor(ws: WebSocket, socket: Duplex, options: SocketStreamOptions) {
    super();
    this.ws = ws;
    this.#options = options;
    this.writer = options.writers.open(socket, this);
    this.resumeQueue = new ResumeQueue(this.writer);
    ws.on("message", () => this.close(POLICY_VIOLATION, "This stream takes no messages"));
    ws.on("ping", (payload) => this.#pinged(payload));
    ws.on("pong", () => this.#heard());
    ws.on("error", () => this.leave());
    ws.once("close", () => {
      this.leave();
      this.writer.release();
    });
  }

  begin(stream: Stream<unknown>, after: number): void {
    this.#last = after;
    this.watch(stream);
  }

  get sent(): SentCounts {
    return this.#options.sent;
  }

  isOpen(): boolean {
    return this.ws.readyState === this.ws.OPEN;
  }

  close(code: number, reason: string): void {
    this.leave();
    this.writer.flush();
    this.ws.close(code, reason);
  }

  /** Asks whether the client is still there. */
  ping(): void {
    this.writer.flush();
    this.ws.ping();
  }

  onDrain(): void {
    this.resumeQueue.resume();
  }

  onStall(): void {
    // The client receives the close frame when it reads again; until then it costs only its socket.
    this.leave();
    this.ws.close(TRY_AGAIN_LATER, "Nothing was read for too long");
  }

  /** The credentials have ended. */
  due(): void {
    this.close(POLICY_VIOLATION, "The credentials ended");
  }

  end(reason?: AppError): void {
    this.forget();
    if (reason !== undefined) this.fail(reason);
    else this.complete(this.#last);
  }

  /** Nothing comes any more after this position. */
  complete(last: number): void {
    this.#say({ id: endAfter(last), event: END_EVENT, data: {} });
    this.close(COMPLETE, "The stream is complete");
  }

  /** Tells the client why the stream does not begin, or ended. */
  fail(reason: unknown): void {
    const problem = this.#options.problemOf(reason);
    this.#say({ event: PROBLEM_EVENT, data: problem });
    const isPassing = problem.status >= 500 || problem.status === 429;
    this.close(isPassing ? TRY_AGAIN_LATER : POLICY_VIOLATION, problem.title);
  }

  protected get connection(): SinkConnection {
    return this;
  }

  protected chunksOf(entries: readonly Entry<unknown>[]): readonly Chunk[] {
    return this.#options.frames.asTexts(entries, this.#compression, this.lastSent);
  }

  protected write(chunk: Chunk, entries: readonly Entry<unknown>[], from: number): number {
    this.writer.write(chunk.bytes);
    this.lastSent = this.#compression?.sent(chunk, this.lastSent);
    this.#last = entries[from + chunk.count - 1]?.pos ?? this.#last;
    return chunk.count;
  }

  get #compression(): Compression | undefined {
    return compressionOf(this.ws);
  }

  #say(message: object): void {
    if (this.isOpen()) this.writer.write(textFrame(JSON.stringify(message)));
  }

  #heard(): void {
    this.heardAt = performance.now();
  }

  #pinged(payload: Buffer): void {
    this.#heard();
    if (this.isOpen() && !this.writer.isFull()) this.writer.write(pongFrame(payload));
  }
}
