/**
 * The subscriptions of one connection. Legacy watchers follow: a watch stays open after its job settled, until the client
 * unsubscribes or leaves, as with the older system's rooms.
 */
import type { Release } from "#server/limits/open.ts";
import type { Stream } from "#server/streams/open.ts";
import { ResumeQueue } from "#server/transports/sockets/resume-queue.ts";
import {
  MAX_SUBSCRIPTIONS,
  tooManySubscriptions,
} from "#server/transports/limits/subscription-limit.ts";
import { SmallMap } from "#server/transports/sockets/small-map.ts";
import type { SentCounts } from "#server/transports/usage.ts";
import type { AppError } from "#shared/errors.ts";
import type { Encoder } from "./packet.ts";
import {
  type Restored,
  Subscription,
  type SubscriptionListener,
  type SubscriptionOwner,
  type SubscriptionWriter,
} from "./subscription.ts";

export interface Wanted<T> {
  open(): Promise<Stream<T>>;
  encoder: Encoder<T>;
  /** True: a client that subscribes again receives all of the current state. Otherwise it receives the newest entry. */
  startsOver?: boolean;
  /** Present if the session brought this subscription back and the client has not requested it since it reconnected. */
  restored?: Restored | undefined;
}

/** Receives changes of subscriptions, by key. One listener per connection takes less memory than closures for each. */
export interface Listener extends SubscriptionListener {
  /** Called when a requested stream has opened. The watch begins once the promise resolves. */
  opened(key: string): Promise<void>;
  /** Called before the first state of a requested subscription is sent, and at each repeated request for it. */
  started(key: string): void;
  /** Called when the stream cannot be served any more. */
  failed(key: string, reason: AppError): void;
  /** Counts a subscription of the user. Rejects if the user may have no further one. `undefined`: it is not limited. */
  count(): Promise<Release> | undefined;
}

/** A subscription to a stream of any type. */
type AnySubscription = Omit<Subscription<unknown>, "push">;

export class Subscriptions implements SubscriptionOwner {
  readonly writer: SubscriptionWriter;
  readonly resumeQueue: ResumeQueue;
  readonly listener: Listener;
  readonly #active = new SmallMap<string, AnySubscription>();
  /** What counts the subscriptions off, by key. Absent while none is limited. */
  #counted: Map<string, Release> | undefined;
  /** Ends that were sent to closed subscriptions, by key, so that a new subscription does not repeat them. */
  #toldEnds: Map<string, number> | undefined;

  constructor(writer: SubscriptionWriter, listener: Listener) {
    this.writer = writer;
    this.resumeQueue = new ResumeQueue(writer);
    this.listener = listener;
  }

  get sent(): SentCounts {
    return this.writer.sent;
  }

  /**
   * Watches under `key`. A client that subscribes again receives the confirmation and its newest state again; the watch
   * continues, so that nothing is lost or doubled, or begins again with all of the current state. Resolves when the watch has begun or was cancelled before; rejects if it
   * cannot begin.
   */
  async add<T>(key: string, wanted: Wanted<T>): Promise<void> {
    const known = this.#active.get(key);
    if (known !== undefined) {
      const comesBack = known.takeRestored();
      await known.begun;
      if (this.#active.get(key) !== known) return;
      if (comesBack || !wanted.startsOver) {
        this.listener.started(key);
        if (!comesBack) known.sendNewest();
        return;
      }
      this.remove(key);
    }
    if (this.#active.size >= MAX_SUBSCRIPTIONS) {
      throw tooManySubscriptions();
    }
    const { encoder, restored } = wanted;
    const toldEnd = this.#toldEnds?.get(key);
    const fresh = new Subscription(this, key, { encoder, restored, toldEnd });
    this.#active.set(key, fresh);
    await fresh.beginWith(this.#begin(key, fresh, wanted));
  }

  /** Returns `false` if there was no subscription. */
  remove(key: string): boolean {
    const subscription = this.#active.get(key);
    if (subscription === undefined) return false;
    this.#delete(key);
    this.#remember(key, subscription.toldEnd);
    subscription.leave();
    return true;
  }

  /** Called when the stream of this subscription has ended. */
  onEnd(key: string, reason?: AppError): void {
    this.#delete(key);
    if (reason !== undefined) this.listener.failed(key, reason);
  }

  #delete(key: string): void {
    this.#active.delete(key);
    this.#counted?.get(key)?.();
    this.#counted?.delete(key);
  }

  removeAll(): void {
    for (const [key] of this.#active.entries()) this.remove(key);
  }

  #remember(key: string, toldEnd: number | undefined): void {
    if (toldEnd === undefined) return;
    const ends = (this.#toldEnds ??= new Map());
    ends.delete(key);
    ends.set(key, toldEnd);
    if (ends.size <= MAX_SUBSCRIPTIONS) return;
    const [oldest = ""] = ends.keys();
    ends.delete(oldest);
  }

  /** Call it when the writer drains. */
  resume(): void {
    this.resumeQueue.resume();
  }

  /** Settles when the watch has begun or cannot begin. */
  async #begin<T>(key: string, fresh: Subscription<T>, wanted: Wanted<T>): Promise<void> {
    const isCurrent = () => this.#active.get(key) === fresh;
    let stream: Stream<T>;
    try {
      const release = await this.listener.count();
      if (!isCurrent()) return release?.();
      if (release !== undefined) (this.#counted ??= new Map()).set(key, release);
      stream = await wanted.open();
      if (isCurrent() && wanted.restored === undefined) await this.listener.opened(key);
    } catch (error) {
      if (!isCurrent()) return;
      this.#delete(key);
      throw error;
    }
    // The client unsubscribed or disconnected in the meantime.
    if (!isCurrent()) return;
    if (wanted.restored === undefined) this.listener.started(key);
    fresh.watch(stream);
  }
}
