/**
 * What one connection watches. Legacy watchers follow: they stay after a job settled, until they unsubscribe or
 * leave, as the older system kept them in its rooms.
 */
import type { Stream, Watch } from "#server/streams/open.ts";
import { AppError } from "#shared/errors.ts";
import type { LegacyMessage } from "#shared/legacy.ts";

export interface Subscriptions {
  /**
   * Watches under `key`, in place of what was watched under it before. `started` is called before the first
   * message. Resolves when the watch began, or when it was cancelled before that; rejects when it cannot begin.
   */
  add<T>(key: string, subscription: Subscription<T>): Promise<void>;
  remove(key: string): void;
  removeAll(): void;
}

export interface Subscription<T> {
  open: () => Promise<Stream<T>>;
  started: () => void;
  toLegacy: (value: T) => LegacyMessage[];
  send: (message: LegacyMessage) => void;
  /** The stream cannot be served any more. */
  failed: (reason: AppError) => void;
}

/** One connection's share of the server. */
export const MAX_SUBSCRIPTIONS = 1000;

export function createSubscriptions(): Subscriptions {
  /** `undefined` while the stream is being opened. */
  const active = new Map<string, { watch: Watch | undefined }>();

  function remove(key: string): void {
    active.get(key)?.watch?.stop();
    active.delete(key);
  }

  return {
    async add(key, { open, started, toLegacy, send, failed }) {
      remove(key);
      if (active.size >= MAX_SUBSCRIPTIONS) {
        throw new AppError(
          "BAD_REQUEST",
          `This connection has ${MAX_SUBSCRIPTIONS} subscriptions already. Unsubscribe from some, or open another.`,
        );
      }
      const entry: { watch: Watch | undefined } = { watch: undefined };
      active.set(key, entry);
      const isCurrent = () => active.get(key) === entry;
      try {
        const stream = await open();
        // Unsubscribed, replaced, or disconnected in the meantime: the later word wins.
        if (!isCurrent()) return;
        started();
        entry.watch = stream.pipe({
          push({ value }) {
            for (const message of toLegacy(value)) send(message);
            return true;
          },
          end(reason) {
            if (isCurrent()) active.delete(key);
            if (reason !== undefined) failed(reason);
          },
        });
      } catch (error) {
        if (isCurrent()) active.delete(key);
        throw error;
      }
    },
    remove,
    removeAll() {
      for (const key of active.keys()) remove(key);
    },
  };
}
