/**
 * The subscriptions of one connection. Legacy watchers follow: they stay after a job settled, until they unsubscribe or
 * leave, as the older system kept them in its rooms.
 */
import type { Stream } from "#server/streams/open.ts";
import { ResumeQueue } from "#server/transports/resume-queue.ts";
import { MAX_SUBSCRIPTIONS, tooManySubscriptions } from "#server/transports/subscription-limit.ts";
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
  /** The client had it before it came back, and did not ask for it. */
  restored?: Restored | undefined;
}

/** Hears of changes of subscriptions, by key. One for all of a connection: closures for each would weigh more. */
export interface Listener extends SubscriptionListener {
  /** One that was asked for is served, as soon as this resolves. */
  opened(key: string): Promise<void>;
  /** Called before the first state of one that was asked for is sent, and when it is asked for again. */
  started(key: string): void;
  /** The stream cannot be served any more. */
  failed(key: string, reason: AppError): void;
}

/** One of whatever stream. */
type AnySubscription = Omit<Subscription<unknown>, "push">;

export class Subscriptions implements SubscriptionOwner {
  readonly writer: SubscriptionWriter;
  readonly resumeQueue: ResumeQueue;
  readonly listener: Listener;
  readonly #active = new Map<string, AnySubscription>();
  /** The ends that were told to subscriptions that are over, by key: they are not told again. */
  readonly #toldEnds = new Map<string, number>();

  constructor(writer: SubscriptionWriter, listener: Listener) {
    this.writer = writer;
    this.resumeQueue = new ResumeQueue(writer);
    this.listener = listener;
  }

  /**
   * Watches under `key`. Who subscribes again is told so again and gets the newest state that it was sent once
   * more; the watch goes on, so that nothing is lost or doubled. Resolves when the watch began, or when it was
   * called off before that; rejects when it cannot begin.
   */
  async add<T>(key: string, wanted: Wanted<T>): Promise<void> {
    const known = this.#active.get(key);
    if (known !== undefined) {
      const comesBack = known.takeRestored();
      await known.begun;
      if (this.#active.get(key) !== known) return;
      this.listener.started(key);
      if (!comesBack) known.sendNewest();
      return;
    }
    if (this.#active.size >= MAX_SUBSCRIPTIONS) {
      throw tooManySubscriptions();
    }
    const { encoder, restored } = wanted;
    const toldEnd = this.#toldEnds.get(key);
    const fresh = new Subscription(this, key, { encoder, restored, toldEnd });
    this.#active.set(key, fresh);
    await fresh.beginWith(this.#begin(key, fresh, wanted));
  }

  /** `false`: there was none. */
  remove(key: string): boolean {
    const subscription = this.#active.get(key);
    if (subscription === undefined) return false;
    this.#active.delete(key);
    this.#remember(key, subscription.toldEnd);
    subscription.leave();
    return true;
  }

  /** The stream of this subscription has ended. */
  onEnd(key: string, reason?: AppError): void {
    this.#active.delete(key);
    if (reason !== undefined) this.listener.failed(key, reason);
  }

  removeAll(): void {
    for (const key of this.#active.keys()) this.remove(key);
  }

  #remember(key: string, toldEnd: number | undefined): void {
    if (toldEnd === undefined) return;
    this.#toldEnds.delete(key);
    this.#toldEnds.set(key, toldEnd);
    if (this.#toldEnds.size <= MAX_SUBSCRIPTIONS) return;
    const [oldest = ""] = this.#toldEnds.keys();
    this.#toldEnds.delete(oldest);
  }

  /** To be called when the writer drains. */
  resume(): void {
    this.resumeQueue.resume();
  }

  /** Settles when the watch began, or cannot begin. */
  async #begin<T>(key: string, fresh: Subscription<T>, wanted: Wanted<T>): Promise<void> {
    const isCurrent = () => this.#active.get(key) === fresh;
    let stream: Stream<T>;
    try {
      stream = await wanted.open();
      if (isCurrent() && wanted.restored === undefined) await this.listener.opened(key);
    } catch (error) {
      if (!isCurrent()) return;
      this.#active.delete(key);
      throw error;
    }
    // Unsubscribed or disconnected in the meantime: the later word wins.
    if (!isCurrent()) return;
    if (wanted.restored === undefined) this.listener.started(key);
    fresh.watch(stream);
  }
}
