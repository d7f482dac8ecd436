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
  /** The end that was told last. */
  readonly toldEnd: number | undefined;
}

export class Subscriptions {
  readonly #outlet: Room;
  readonly #behind: Behind;
  readonly #active = new Map<string, Subscription>();
  /** The ends that were told to subscriptions that are over, by key: they are not told again. */
  readonly #toldEnds = new Map<string, number>();

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
    const end = (reason?: AppError) => {
      this.#active.delete(key);
      if (reason !== undefined) failed(reason);
    };
    const fresh = new Pushed(this.#outlet, this.#behind, encoder, end, this.#toldEnds.get(key));
    this.#active.set(key, fresh);
    fresh.begun = this.#begin(key, fresh, wanted);
    await fresh.begun;
    fresh.begun = BEGUN;
  }

  remove(key: string): void {
    const subscription = this.#active.get(key);
    if (subscription === undefined) return;
    this.#active.delete(key);
    this.#remember(key, subscription.toldEnd);
    if (subscription.watch === undefined) return;
    subscription.watch.stop();
    this.#behind.delete(subscription.watch);
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
  toldEnd: number | undefined;
  #newest: { readonly value: T } | undefined;
  readonly #outlet: Room;
  readonly #behind: Behind;
  readonly #encoder: Encoder<T>;
  readonly end: (reason?: AppError) => void;

  constructor(
    outlet: Room,
    behind: Behind,
    encoder: Encoder<T>,
    end: (reason?: AppError) => void,
    toldEnd: number | undefined,
  ) {
    this.toldEnd = toldEnd;
    this.#outlet = outlet;
    this.#behind = behind;
    this.#encoder = encoder;
    this.end = end;
  }

  push(entries: readonly Entry<T>[]): number {
    const repeated = this.#repeat(entries);
    const taken = repeated + this.#take(repeated === 0 ? entries : entries.slice(repeated));
    const newest = entries[taken - 1];
    if (newest !== undefined) {
      this.#newest = newest;
      this.toldEnd = this.#encoder.endOf(newest.value) ?? this.toldEnd;
    }
    if (taken < entries.length && this.watch !== undefined) this.#behind.add(this.watch);
    return taken;
  }

  sendNewest(): void {
    if (this.#newest !== undefined) this.#outlet.send(this.#encoder.updateOf(this.#newest.value));
  }

  /** The first state, where its end was told before. Returns how many entries that were. */
  #repeat([first]: readonly Entry<T>[]): 0 | 1 {
    if (this.#newest !== undefined || first === undefined || this.toldEnd === undefined) return 0;
    if (this.#encoder.endOf(first.value) !== this.toldEnd || !this.#outlet.hasRoom()) return 0;
    this.#outlet.send(this.#encoder.updateOf(first.value));
    return 1;
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
