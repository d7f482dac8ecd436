/**
 * Knowledge of a client's inflater: the compression of one connection. The state is a reference to the last message that was
 * sent compressed, whatever was sent uncompressed since. The bytes belong to `compressed-frames.ts`, for all connections.
 */
import type { Chunk, Message } from "./chunks.ts";
import type { DeflateTerms } from "./deflate-offer.ts";

/** The window of deflate itself, which needs no check. */
const MAX_WINDOW_BITS = 15;
/** More than any message has. */
const UNLIMITED = 2 ** 30;

export class Compression {
  /** No message may refer to bytes that are farther away; very many if deflate's own limit suffices. */
  readonly windowBytes: number;
  /** The client forgets each message: none may refer to an earlier one. */
  readonly forgets: boolean;
  /** Tells clients apart that need different frames. Empty for most. */
  readonly key: string;
  #last: Message | undefined;

  constructor({ forgets, windowBits = MAX_WINDOW_BITS }: DeflateTerms) {
    this.forgets = forgets;
    this.key = forgets || windowBits < MAX_WINDOW_BITS ? `${windowBits} ${forgets} ` : "";
    this.windowBytes = windowBits === MAX_WINDOW_BITS ? UNLIMITED : 2 ** windowBits;
  }

  /**
   * `sent`: the last compressed message of a subscription. Returns it if the subscription's next one may refer to it: if the
   * client has received no other compressed message since.
   */
  historyAfter(sent: Message | undefined): Message | undefined {
    if (sent === undefined || sent !== this.#last || this.forgets) return undefined;
    return sent.body === undefined ? undefined : sent;
  }

  /** True if the client can inflate the chunk now. */
  accepts({ after }: Chunk): boolean {
    return after === undefined || after === this.#last;
  }

  /** Call it for each chunk that is written. `sent` and the result: the last compressed message of the subscription. */
  sent({ last }: Chunk, sent: Message | undefined): Message | undefined {
    if (last !== undefined) this.#last = last;
    if (last !== sent) {
      last?.retain();
      sent?.release();
    }
    return last;
  }
}
