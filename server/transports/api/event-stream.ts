/** A stream as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
import type { ServerResponse } from "node:http";
import type { Entry, Stream } from "#server/streams/open.ts";
import type { DeadlineOwner } from "#server/transports/callers/deadlines.ts";
import type { Chunk } from "#server/transports/sockets/chunks.ts";
import { ResumeQueue } from "#server/transports/sockets/resume-queue.ts";
import {
  type SinkConnection,
  SubscriptionSink,
} from "#server/transports/sockets/subscription-sink.ts";
import type { SentCounts } from "#server/transports/usage.ts";
import type { AppError } from "#shared/errors.ts";
import { EVENTS_TYPE } from "./accept.ts";
import { endAfter } from "./cursor.ts";
import { END_EVENT, eventOf, type Frames, PROBLEM_EVENT } from "./frames.ts";

/** After a connection is lost, a browser comes back in this time. */
const RETRY_MS = 1000;
const BEGIN = Buffer.from(`retry: ${RETRY_MS}\n\n`);
/** The server goes on, so the client need not wait. */
const COME_BACK = Buffer.from("retry: 1\n\n");
/** A comment, which keeps proxies from closing an idle stream. */
const HEARTBEAT = Buffer.from(":\n\n");

export interface EventStreamOptions {
  frames: Frames;
  /** The position that the client has. */
  after: number;
  /** As many unsent bytes as make it full. */
  highWaterBytes: number;
  sent: SentCounts;
  /** Encodes the error that ended the stream; `undefined` for one after which the client is to come back. */
  problemOf(reason: AppError): string | undefined;
}

export class EventStream
  extends SubscriptionSink<unknown>
  implements DeadlineOwner, SinkConnection
{
  readonly #res: ServerResponse;
  readonly #options: EventStreamOptions;
  readonly resumeQueue = new ResumeQueue(this);
  #last: number;
  /**
   * Written since the answer was last drained. It is full at the mark of all connections: at Node's own, which is lower, a client
   * that reads on would be behind. The answer's own count leaves out what waits to be compressed.
   */
  #undrained = 0;

  constructor(res: ServerResponse, options: EventStreamOptions) {
    super();
    this.#res = res;
    this.#options = options;
    this.#last = options.after;
  }

  /** Call `leave` when the response closes. */
  begin(stream: Stream<unknown>): void {
    const res = this.#res;
    res.writeHead(200, {
      "Content-Type": EVENTS_TYPE,
      "Cache-Control": "no-store, no-transform",
      "X-Accel-Buffering": "no",
    });
    res.on("drain", () => {
      this.#undrained = 0;
      this.resumeQueue.resume();
    });
    this.#send(BEGIN);
    this.watch(stream);
  }

  get writer(): this {
    return this;
  }

  get sent(): SentCounts {
    return this.#options.sent;
  }

  isFull(): boolean {
    return this.#undrained >= this.#options.highWaterBytes || this.#res.writableEnded;
  }

  beat(): void {
    if (!this.isFull()) this.#send(HEARTBEAT);
  }

  /** The credentials have ended. The client comes back, and they are checked anew. */
  due(): void {
    this.leave();
    this.#send(COME_BACK);
    this.#res.end();
  }

  end(reason?: AppError): void {
    this.forget();
    const problem = reason && this.#options.problemOf(reason);
    if (reason === undefined) {
      this.#send(eventOf({ id: endAfter(this.#last), event: END_EVENT, data: "{}" }));
    } else if (problem !== undefined) {
      this.#send(eventOf({ event: PROBLEM_EVENT, data: problem }));
    }
    this.#res.end();
  }

  protected get connection(): SinkConnection {
    return this;
  }

  protected chunksOf(entries: readonly Entry<unknown>[]): readonly Chunk[] {
    return this.#options.frames.asEvents(entries);
  }

  protected write(
    { bytes, count }: Chunk,
    entries: readonly Entry<unknown>[],
    from: number,
  ): number {
    this.#send(bytes);
    this.#last = entries[from + count - 1]?.pos ?? this.#last;
    return count;
  }

  #send(bytes: Uint8Array): void {
    if (this.#res.writableEnded || this.#res.destroyed) return;
    if (!this.#res.write(bytes)) this.#undrained += bytes.length;
  }
}
