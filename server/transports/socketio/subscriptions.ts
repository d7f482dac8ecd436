/**
 * What one connection watches. Legacy watchers follow: they stay after a job settled, until they unsubscribe or
 * leave, as the older system kept them in its rooms.
 */
import type { Entry, Sink, Stream, Watch } from "#server/streams/open.ts";
import { ResumeQueue } from "#server/transports/resume-queue.ts";
import { MAX_SUBSCRIPTIONS, tooManySubscriptions } from "#server/transports/subscription-limit.ts";
import type { AppError } from "#shared/errors.ts";
import type { ConnectionWriter } from "./connection-writer.ts";
import type { Encoder } from "./packet.ts";

export interface Wanted<T> {
  open(): Promise<Stream<T>>;
  encoder: Encoder<T>;
  /** The client had it before it came back, and did not ask for it. */
  restored?: Restored | undefined;
}

export interface Restored {
  /** The end that the client is known to have been told. */
  toldEnd: number | undefined;
}

/** Is told what becomes of subscriptions, by key. One for all of a connection: closures for each would weigh more. */
export interface Listener {
  /** One that was asked for is served, as soon as this resolves. */
  opened(key: string): Promise<void>;
  /** Called before the first state of one that was asked for is sent, and when it is asked for again. */
  started(key: string): void;
  /** The client was sent an end, other than that with which it was restored. */
  ended(key: string, end: number): void;
  /** The stream cannot be served any more. */
  failed(key: string, reason: AppError): void;
  /** The client may still ask for what was restored. */
  isComingBack(): boolean;
}

interface Subscription {
  /** Settles when the watch began, or cannot begin. */
  begun: Promise<void>;
  watch: Watch | undefined;
  /** Says once whether the client only asks as it comes back: it was shown the newest state already, or is going to be. */
  takeRestored(): boolean;
  /** The newest state that was sent, once more. */
  sendNewest(): void;
  /** The end that was told last. */
  readonly toldEnd: number | undefined;
}

export class Subscriptions {
  readonly writer: Room;
  readonly resumeQueue: ResumeQueue;
  readonly listener: Listener;
  readonly #active = new Map<string, Subscription>();
  /** The ends that were told to subscriptions that are over, by key: they are not told again. */
  readonly #toldEnds = new Map<string, number>();

  constructor(writer: Room, listener: Listener) {
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
    const fresh = new Pushed(this, key, wanted, this.#toldEnds.get(key));
    this.#active.set(key, fresh);
    fresh.begun = this.#begin(key, fresh, wanted);
    await fresh.begun;
    fresh.begun = BEGUN;
  }

  /** `false`: there was none. */
  remove(key: string): boolean {
    const subscription = this.#active.get(key);
    if (subscription === undefined) return false;
    this.#active.delete(key);
    this.#remember(key, subscription.toldEnd);
    if (subscription.watch === undefined) return true;
    subscription.watch.stop();
    this.resumeQueue.delete(subscription.watch);
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

  /** The writer has room again. */
  resume(): void {
    this.resumeQueue.resume();
  }

  /** Settles when the watch began, or cannot begin. */
  async #begin<T>(key: string, fresh: Pushed<T>, wanted: Wanted<T>): Promise<void> {
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
    fresh.watch = stream.pipe(fresh);
  }
}

const BEGUN = Promise.resolve();

type Room = Pick<ConnectionWriter, "send" | "write" | "hasRoom">;

class Pushed<T> implements Subscription, Sink<T> {
  begun: Promise<void> = BEGUN;
  watch: Watch | undefined;
  toldEnd: number | undefined;
  #newest: { readonly value: T } | undefined;
  readonly #owner: Subscriptions;
  readonly #key: string;
  readonly #encoder: Encoder<T>;
  /** The last one that the listener was told of, or that was restored. */
  #knownEnd: number | undefined;
  #isRestored: boolean;

  constructor(
    owner: Subscriptions,
    key: string,
    { encoder, restored }: Pick<Wanted<T>, "encoder" | "restored">,
    toldEnd: number | undefined,
  ) {
    this.#owner = owner;
    this.#key = key;
    this.#encoder = encoder;
    this.#knownEnd = restored?.toldEnd;
    this.#isRestored = restored !== undefined;
    this.toldEnd = toldEnd ?? restored?.toldEnd;
  }

  end(reason?: AppError): void {
    this.#owner.onEnd(this.#key, reason);
  }

  push(entries: readonly Entry<T>[]): number {
    const repeated = this.#repeat(entries);
    const taken = repeated + this.#take(repeated === 0 ? entries : entries.slice(repeated));
    const newest = entries[taken - 1];
    if (newest !== undefined) {
      this.#newest = newest;
      this.toldEnd = this.#encoder.endOf(newest.value) ?? this.toldEnd;
      this.#tellEnd();
    }
    if (taken < entries.length && this.watch !== undefined) this.#owner.resumeQueue.add(this.watch);
    return taken;
  }

  #tellEnd(): void {
    if (this.toldEnd === undefined || this.toldEnd === this.#knownEnd) return;
    this.#knownEnd = this.toldEnd;
    this.#owner.listener.ended(this.#key, this.toldEnd);
  }

  takeRestored(): boolean {
    const wasRestored = this.#isRestored;
    this.#isRestored = false;
    return wasRestored && this.#owner.listener.isComingBack();
  }

  sendNewest(): void {
    if (this.#newest !== undefined)
      this.#owner.writer.send(this.#encoder.updateOf(this.#newest.value));
  }

  /** The first state, where its end was told before. Returns how many entries that were. */
  #repeat([first]: readonly Entry<T>[]): 0 | 1 {
    if (this.#newest !== undefined || first === undefined || this.toldEnd === undefined) return 0;
    if (this.#encoder.endOf(first.value) !== this.toldEnd || !this.#owner.writer.hasRoom())
      return 0;
    this.#owner.writer.send(this.#encoder.updateOf(first.value));
    return 1;
  }

  #take(entries: readonly Entry<T>[]): number {
    let taken = 0;
    for (const { bytes, count } of this.#encoder.framesOf(entries)) {
      if (!this.#owner.writer.hasRoom()) return taken;
      if (this.#owner.writer.write(bytes)) {
        taken += count;
        continue;
      }
      for (const entry of entries.slice(taken, taken + count)) {
        if (!this.#owner.writer.hasRoom()) return taken;
        this.#send(entry);
        taken += 1;
      }
    }
    return taken;
  }

  #send({ value }: { readonly value: T }): void {
    this.#owner.writer.send(this.#encoder.packetsOf(value));
  }
}
