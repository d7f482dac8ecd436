/**
 * Inflates the messages of one client, for `ws`. It keeps nothing between messages, as each is compressed by itself. Bounded: a
 * message may grow by a factor that no text of a client needs, so that a small one costs little.
 */
import { PerMessageDeflate } from "./ws-exports.ts";

/** Any message may have this many bytes: to parse them takes about as long as to answer the smallest request. */
const MIN_INFLATED_BYTES = 16_384;
/** A larger one may have this many times its compressed bytes. JSON of real inputs reaches 20, and deflate itself 1,032. */
const MAX_INFLATED_RATIO = 32;

/** What `ws` reads of the terms when it inflates. */
const PARAMS = Object.freeze({ client_no_context_takeover: true });

export interface InflateLimits {
  readonly isServer: true;
  readonly maxPayload: number;
}

/** There is one for each connection, so they share what they can. */
export class BoundedInflate extends PerMessageDeflate {
  /** Of the fragments of the current message. */
  #compressed = 0;
  #inflated = 0;

  constructor(limits: InflateLimits) {
    super(limits);
    this.params = PARAMS;
  }

  override decompress(
    data: Buffer,
    isLast: boolean,
    done: (error: Error | null, inflated?: Buffer) => void,
  ): void {
    this.#compressed += data.length;
    const most = Math.max(MIN_INFLATED_BYTES, this.#compressed * MAX_INFLATED_RATIO);
    // `ws` counts the bytes of each fragment anew, and takes 0 for no limit.
    this._maxPayload = Math.max(1, Math.min(most, this._options.maxPayload) - this.#inflated);
    super.decompress(data, isLast, (error, inflated) => {
      this.#inflated += inflated?.length ?? 0;
      if (isLast) {
        this.#compressed = this.#inflated = 0;
        this.cleanup();
      }
      done(error, inflated);
    });
  }
}
