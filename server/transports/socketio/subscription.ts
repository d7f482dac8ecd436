/** One subscription of a legacy client: its packets, and the end of the job that its client was told. */
import type { Entry } from "#server/streams/open.ts";
import type { Chunk } from "#server/transports/chunks.ts";
import { type SinkConnection, SubscriptionSink } from "#server/transports/subscription-sink.ts";
import type { AppError } from "#shared/errors.ts";
import type { ConnectionWriter } from "./connection-writer.ts";
import type { Encoder } from "./packet.ts";

export interface Restored {
  /** The end that the client is known to have been told. */
  toldEnd: number | undefined;
}

export interface SubscriptionListener {
  /** The client was sent an end, other than that with which it was restored. */
  ended(key: string, end: number): void;
  /** The client may still ask for what was restored. */
  isComingBack(): boolean;
}

export type SubscriptionWriter = Pick<ConnectionWriter, "send" | "write" | "isFull">;

/** The subscriptions of a connection, which a subscription is one of. */
export interface SubscriptionOwner extends SinkConnection {
  readonly writer: SubscriptionWriter;
  readonly listener: SubscriptionListener;
  /** The stream of this subscription has ended. */
  onEnd(key: string, reason?: AppError): void;
}

const BEGUN = Promise.resolve();

export class Subscription<T> extends SubscriptionSink<T> {
  /** Settles when the watch began, or cannot begin. */
  begun: Promise<void> = BEGUN;
  /** The end that was told last. */
  toldEnd: number | undefined;
  #newest: { readonly value: T } | undefined;
  readonly #owner: SubscriptionOwner;
  readonly #key: string;
  readonly #encoder: Encoder<T>;
  /** The last one that the listener was told of, or that was restored. */
  #knownEnd: number | undefined;
  #isRestored: boolean;

  /** `restored`: the client had it before it came back, and did not ask for it. */
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

  /** Waits for `begun`, which a subscription that has begun does not keep. */
  async beginWith(begun: Promise<void>): Promise<void> {
    this.begun = begun;
    await begun;
    this.begun = BEGUN;
  }

  end(reason?: AppError): void {
    this.#owner.onEnd(this.#key, reason);
  }

  /** Tells once whether the client asks only because it comes back: it gets, or got, the newest state anyway. */
  takeRestored(): boolean {
    const wasRestored = this.#isRestored;
    this.#isRestored = false;
    return wasRestored && this.#owner.listener.isComingBack();
  }

  /** Sends the newest state that was sent once more. */
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
    return this.#encoder.framesOf(entries);
  }

  /** As frames where the connection takes them, otherwise packet by packet. */
  protected write({ bytes, count }: Chunk, entries: readonly Entry<T>[], from: number): number {
    const { writer } = this.#owner;
    if (writer.write(bytes)) return count;
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

  /** The first state, where its end was told before. Returns how many entries that were. */
  #repeat([first]: readonly Entry<T>[]): 0 | 1 {
    if (this.#newest !== undefined || first === undefined || this.toldEnd === undefined) return 0;
    if (this.#encoder.endOf(first.value) !== this.toldEnd || this.#owner.writer.isFull()) return 0;
    this.#owner.writer.send(this.#encoder.updateOf(first.value));
    return 1;
  }
}
