/**
 * Inflates the messages of one client, for `ws`. It keeps nothing between messages, as each is compressed by itself. Bounded: a
 * message may grow by a factor that no text of a client needs, so that a small one costs little.
 */
import { PerMessageDeflate } from "./ws-exports.ts";

/** Any message may have this many bytes: to parse them takes about as long as to answer the smallest request. */
const MIN_INFLATED_BYTES = 16_384;
/** A larger one may have this many times its compressed bytes. JSON of real inputs reaches 20, and deflate itself 1,032. */
const MAX_INFLATED_RATIO = 32;

/** The part of the terms that `ws` reads when it inflates. */
const PARAMS = Object.freeze({ client_no_context_takeover: true });

export interface InflateLimits {
  readonly isServer: true;
  readonly maxPayload: number;
}

const NOTHING = Buffer.alloc(0);

/** There is one for each connection, so they share what they can. */
export class BoundedInflate extends PerMessageDeflate {
  /** Of a message whose end has not arrived: an inflater would take more memory. */
  #fragments: Buffer[] | undefined;

  constructor(limits: InflateLimits) {
    super(limits);
    this.params = PARAMS;
  }

  override decompress(
    data: Buffer,
    isLast: boolean,
    done: (error: Error | null, inflated?: Buffer) => void,
  ): void {
    if (!isLast) {
      (this.#fragments ??= []).push(data);
      // `ws` expects the answer later.
      setImmediate(done, null, NOTHING);
      return;
    }
    const whole = this.#fragments === undefined ? data : Buffer.concat([...this.#fragments, data]);
    this.#fragments = undefined;
    const most = Math.max(MIN_INFLATED_BYTES, whole.length * MAX_INFLATED_RATIO);
    this._maxPayload = Math.min(most, this._options.maxPayload);
    super.decompress(whole, true, (error, inflated) => {
      this.cleanup();
      done(error, inflated);
    });
  }
}
