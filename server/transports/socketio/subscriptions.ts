/**
 * What one connection watches. Legacy watchers follow: they stay after a job settled, until they unsubscribe or
 * leave, as the older system kept them in its rooms.
 */
import type { Stream, Watch } from "#server/streams/open.ts";
import { createBehind } from "#server/transports/behind.ts";
import { AppError } from "#shared/errors.ts";
import type { Outlet } from "./outlet.ts";
import type { Packet } from "./packet.ts";

export interface Subscriptions {
  /**
   * Watches under `key`. Who subscribes again is told so again and gets the newest state that it was sent once
   * more; the watch goes on, so that nothing is lost or doubled. Resolves when the watch began, or when it was
   * called off before that; rejects when it cannot begin.
   */
  add<T>(key: string, wanted: Wanted<T>): Promise<void>;
  remove(key: string): void;
  removeAll(): void;
  /** The outlet has room again. */
  resume(): void;
}

export interface Wanted<T> {
  open(): Promise<Stream<T>>;
  encode(value: T): readonly Packet[];
  /** Called before the first state is sent. */
  started(): void;
  /** The stream cannot be served any more. */
  failed(reason: AppError): void;
}

interface Subscription {
  /** Settles when the watch began, or cannot begin. */
  begun: Promise<void>;
  watch: Watch | undefined;
  newest: readonly Packet[];
}

/** One connection's share of the server. */
export const MAX_SUBSCRIPTIONS = 1000;

export function createSubscriptions(outlet: Pick<Outlet, "send" | "hasRoom">): Subscriptions {
  const active = new Map<string, Subscription>();
  const behind = createBehind(outlet.hasRoom);

  async function begin<T>(
    key: string,
    subscription: Subscription,
    wanted: Wanted<T>,
  ): Promise<void> {
    const isCurrent = () => active.get(key) === subscription;
    let stream: Stream<T>;
    try {
      stream = await wanted.open();
    } catch (error) {
      if (!isCurrent()) return;
      active.delete(key);
      throw error;
    }
    // Unsubscribed or disconnected in the meantime: the later word wins.
    if (!isCurrent()) return;
    wanted.started();
    const watch = stream.pipe({
      push({ value }) {
        if (!outlet.hasRoom()) {
          behind.add(watch);
          return false;
        }
        subscription.newest = wanted.encode(value);
        outlet.send(subscription.newest);
        return true;
      },
      end(reason) {
        active.delete(key);
        if (reason !== undefined) wanted.failed(reason);
      },
    });
    subscription.watch = watch;
  }

  function remove(key: string): void {
    const subscription = active.get(key);
    if (subscription === undefined) return;
    active.delete(key);
    if (subscription.watch === undefined) return;
    subscription.watch.stop();
    behind.delete(subscription.watch);
  }

  return {
    async add(key, wanted) {
      const known = active.get(key);
      if (known !== undefined) {
        await known.begun;
        if (active.get(key) !== known) return;
        wanted.started();
        outlet.send(known.newest);
        return;
      }
      if (active.size >= MAX_SUBSCRIPTIONS) {
        throw new AppError(
          "BAD_REQUEST",
          `This connection has ${MAX_SUBSCRIPTIONS} subscriptions already. Unsubscribe from some, or open another.`,
        );
      }
      const fresh: Subscription = { begun: Promise.resolve(), watch: undefined, newest: [] };
      active.set(key, fresh);
      fresh.begun = begin(key, fresh, wanted);
      await fresh.begun;
    },
    remove,
    removeAll() {
      for (const key of active.keys()) remove(key);
    },
    resume: () => behind.resume(),
  };
}
