/**
 * What one connection watches. Legacy watchers follow: they stay after a job settled, until they unsubscribe or
 * leave, as the older system kept them in its rooms.
 */
import type { Entry, Sink, Stream, Watch } from "#server/streams/open.ts";
import { Behind } from "#server/transports/behind.ts";
import { MAX_SUBSCRIPTIONS, tooManySubscriptions } from "#server/transports/subscription-limit.ts";
import type { AppError } from "#shared/errors.ts";
import type { Outlet } from "./outlet.ts";
import type { Encoder } from "./packet.ts";

export interface Wanted<T> {
  open(): Promise<Stream<T>>;
  encoder: Encoder<T>;
  /** Called before the first state is sent. */
  started(): void;
  /** The stream cannot be served any more. */
  failed(reason: AppError): void;
}

interface Subscription {
  /** Settles when the watch began, or cannot begin. */
  begun: Promise<void>;
  watch: Watch | undefined;
  /** The newest state that was sent, once more. */
  sendNewest(): void;
}

export class Subscriptions {
  readonly #outlet: Room;
  readonly #behind: Behind;
  readonly #active = new Map<string, Subscription>();

  constructor(outlet: Room) {
    this.#outlet = outlet;
    this.#behind = new Behind(outlet);
  }

  /**
   * Watches under `key`. Who subscribes again is told so again and gets the newest state that it was sent once
   * more; the watch goes on, so that nothing is lost or doubled. Resolves when the watch began, or when it was
   * called off before that; rejects when it cannot begin.
   */
  async add<T>(key: string, wanted: Wanted<T>): Promise<void> {
    const known = this.#active.get(key);
    if (known !== undefined) {
      await known.begun;
      if (this.#active.get(key) !== known) return;
      wanted.started();
      known.sendNewest();
      return;
    }
    if (this.#active.size >= MAX_SUBSCRIPTIONS) {
      throw tooManySubscriptions();
    }
    const { encoder, failed } = wanted;
    const fresh = new Pushed(this.#outlet, this.#behind, encoder, (reason) => {
      this.#active.delete(key);
      if (reason !== undefined) failed(reason);
    });
    this.#active.set(key, fresh);
    fresh.begun = this.#begin(key, fresh, wanted);
    await fresh.begun;
    fresh.begun = BEGUN;
  }

  remove(key: string): void {
    const subscription = this.#active.get(key);
    if (subscription === undefined) return;
    this.#active.delete(key);
    if (subscription.watch === undefined) return;
    subscription.watch.stop();
    this.#behind.delete(subscription.watch);
  }

  removeAll(): void {
    for (const key of this.#active.keys()) this.remove(key);
  }

  /** The outlet has room again. */
  resume(): void {
    this.#behind.resume();
  }

  /** Settles when the watch began, or cannot begin. */
  async #begin<T>(key: string, fresh: Pushed<T>, wanted: Wanted<T>): Promise<void> {
    const isCurrent = () => this.#active.get(key) === fresh;
    let stream: Stream<T>;
    try {
      stream = await wanted.open();
    } catch (error) {
      if (!isCurrent()) return;
      this.#active.delete(key);
      throw error;
    }
    // Unsubscribed or disconnected in the meantime: the later word wins.
    if (!isCurrent()) return;
    wanted.started();
    fresh.watch = stream.pipe(fresh);
  }
}

const BEGUN = Promise.resolve();

type Room = Pick<Outlet, "send" | "write" | "hasRoom">;

class Pushed<T> implements Subscription, Sink<T> {
  begun: Promise<void> = BEGUN;
  watch: Watch | undefined;
  #newest: { readonly value: T } | undefined;
  readonly #outlet: Room;
  readonly #behind: Behind;
  readonly #encoder: Encoder<T>;
  readonly end: (reason?: AppError) => void;

  constructor(outlet: Room, behind: Behind, encoder: Encoder<T>, end: (reason?: AppError) => void) {
    this.#outlet = outlet;
    this.#behind = behind;
    this.#encoder = encoder;
    this.end = end;
  }

  push(entries: readonly Entry<T>[]): number {
    const taken = this.#take(entries);
    if (taken > 0) this.#newest = entries[taken - 1];
    if (taken < entries.length && this.watch !== undefined) this.#behind.add(this.watch);
    return taken;
  }

  sendNewest(): void {
    if (this.#newest !== undefined) this.#send(this.#newest);
  }

  #take(entries: readonly Entry<T>[]): number {
    let taken = 0;
    for (const { bytes, count } of this.#encoder.framesOf(entries)) {
      if (!this.#outlet.hasRoom()) return taken;
      if (this.#outlet.write(bytes)) {
        taken += count;
        continue;
      }
      for (const entry of entries.slice(taken, taken + count)) {
        if (!this.#outlet.hasRoom()) return taken;
        this.#send(entry);
        taken += 1;
      }
    }
    return taken;
  }

  #send({ value }: { readonly value: T }): void {
    this.#outlet.send(this.#encoder.packetsOf(value));
  }
}
