/** The two ends of a watch: the sink that it delivers to, and the handle that its owner keeps. */
import type { AppError } from "#shared/errors.ts";
import type { Entry } from "./source.ts";

/** Receives the entries of a watch. */
export interface Sink<T> {
  /**
   * Takes entries from the front of a non-empty list, and returns how many. A sink that takes fewer than all is full:
   * the watch offers it nothing until `resume()`, which must not be called within `push`. Watches with the same cursor
   * are given the same list, so that a transport can serialise it once.
   */
  push(entries: readonly Entry<T>[]): number;
  /** The last call: the stream settled (no reason), or it cannot be served. Not called after `stop()`. */
  end(reason?: AppError): void;
}

export interface Watch {
  /** The sink has drained. Without effect where the sink is not full. */
  resume(): void;
  /** The watcher left. Nothing is delivered after this. */
  stop(): void;
}

export interface WatchOptions {
  /** The newest position that the watcher has; `undefined`: start with the current state; 0: replay the log. */
  after: number | undefined;
  /** Stay after the stream settled (S10). */
  follow: boolean;
}
