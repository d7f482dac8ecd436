/** One subscription of a legacy client: sends its packets, and tracks the end of the job that was sent. */
import type { Entry } from "#server/streams/open.ts";
import type { Chunk } from "#server/transports/sockets/chunks.ts";
import {
  type SinkConnection,
  SubscriptionSink,
} from "#server/transports/sockets/subscription-sink.ts";
import type { AppError } from "#shared/errors.ts";
import type { ConnectionWriter } from "./connection-writer.ts";
import type { Encoder } from "./packet.ts";

export interface Restored {
  /** The end that the client has certainly received. */
  toldEnd: number | undefined;
}

export interface SubscriptionListener {
  /** Called when the client was sent an end other than the restored one. */
  ended(key: string, end: number): void;
  /** True while the client may still request restored subscriptions. */
  isComingBack(): boolean;
}

export type SubscriptionWriter = Pick<
  ConnectionWriter,
  "send" | "write" | "isFull" | "sent" | "compression"
>;

/** The owner of a connection's subscriptions. */
export interface SubscriptionOwner extends SinkConnection {
  readonly writer: SubscriptionWriter;
  readonly listener: SubscriptionListener;
  /** Called when the stream of this subscription has ended. */
  onEnd(key: string, reason?: AppError): void;
}

const BEGUN = Promise.resolve();

export class Subscription<T> extends SubscriptionSink<T> {
  /** Settles when the watch has begun or cannot begin. */
  begun: Promise<void> = BEGUN;
  /** The last end that was sent. */
  toldEnd: number | undefined;
  #newest: { readonly value: T } | undefined;
  readonly #owner: SubscriptionOwner;
  readonly #key: string;
  readonly #encoder: Encoder<T>;
  /** The last end that the listener knows, or the restored one. */
  #knownEnd: number | undefined;
  #isRestored: boolean;

  /** `restored`: the session brought this subscription back; the client has not requested it since it reconnected. */
  constructor(
    owner: SubscriptionOwner,
    key: string,
    {
      encoder,
      restored,
      toldEnd,
    }: {
      encoder: Encoder<T>;
      restored?: Restored | undefined;
      toldEnd: number | undefined;
    },
  ) {
    super();
    this.#owner = owner;
    this.#key = key;
    this.#encoder = encoder;
    this.#knownEnd = restored?.toldEnd;
    this.#isRestored = restored !== undefined;
    this.toldEnd = toldEnd ?? restored?.toldEnd;
  }

  /** Waits for `begun`, then releases the promise to save memory. */
  async beginWith(begun: Promise<void>): Promise<void> {
    this.begun = begun;
    await begun;
    this.begun = BEGUN;
  }

  end(reason?: AppError): void {
    this.forget();
    this.#owner.onEnd(this.#key, reason);
  }

  /** True for the first request after a reconnect: the client receives the newest state without it. False afterwards. */
  takeRestored(): boolean {
    const wasRestored = this.#isRestored;
    this.#isRestored = false;
    return wasRestored && this.#owner.listener.isComingBack();
  }

  /** Repeats the newest state that was sent. */
  sendNewest(): void {
    if (this.#newest !== undefined)
      this.#owner.writer.send(this.#encoder.updateOf(this.#newest.value));
  }

  protected get connection(): SinkConnection {
    return this.#owner;
  }

  protected override take(entries: readonly Entry<T>[]): number {
    const repeated = this.#repeat(entries);
    const taken = repeated + super.take(repeated === 0 ? entries : entries.slice(repeated));
    const newest = entries[taken - 1];
    if (newest !== undefined) {
      this.#newest = newest;
      this.toldEnd = this.#encoder.endOf(newest.value) ?? this.toldEnd;
      this.#tellEnd();
    }
    return taken;
  }

  protected chunksOf(entries: readonly Entry<T>[]): readonly Chunk[] {
    return this.#encoder.framesOf(entries, this.#owner.writer.compression, this.lastSent);
  }

  /** Writes frames if the connection can take them, otherwise packet by packet. */
  protected write(chunk: Chunk, entries: readonly Entry<T>[], from: number): number {
    const { writer } = this.#owner;
    const { compression } = writer;
    const { bytes, count } = chunk;
    // A chunk before this one may have gone out as packets.
    if ((compression?.accepts(chunk) ?? chunk.last === undefined) && writer.write(bytes)) {
      this.lastSent = compression?.sent(chunk, this.lastSent);
      return count;
    }
    for (let n = 0; n < count; n++) {
      if (writer.isFull()) return n;
      writer.send(this.#encoder.packetsOf((entries[from + n] as Entry<T>).value));
    }
    return count;
  }

  #tellEnd(): void {
    if (this.toldEnd === undefined || this.toldEnd === this.#knownEnd) return;
    this.#knownEnd = this.toldEnd;
    this.#owner.listener.ended(this.#key, this.toldEnd);
  }

  /** Sends the first state as an update alone if its end was sent before. Returns how many entries it sent. */
  #repeat([first]: readonly Entry<T>[]): 0 | 1 {
    if (this.#newest !== undefined || first === undefined || this.toldEnd === undefined) return 0;
    if (this.#encoder.endOf(first.value) !== this.toldEnd || this.#owner.writer.isFull()) return 0;
    this.#owner.writer.send(this.#encoder.updateOf(first.value));
    return 1;
  }
}
