/**
 * Inflates the messages of one client, in the place of the extension of `ws`. It keeps nothing between messages, as each is
 * compressed by itself. Bounded: a message may grow by a factor that no text of a client needs, so that a small one costs
 * little, and one beyond its limit is inflated no further. (`ws` resets its inflater there and reads on: 16 MiB that were
 * made for that would take a thread half a minute.)
 */
import { promisify } from "node:util";
import { constants, inflateRaw, inflateRawSync } from "node:zlib";
import { createTurns } from "#server/transports/requests/turns.ts";
import { INVALID_DATA, MESSAGE_TOO_BIG } from "./close-codes.ts";

/** Any message may have this many bytes: to parse them takes one to three milliseconds, as some small calls do. */
export const MIN_INFLATED_BYTES = 131_072;
/** A larger one may have this many times its compressed bytes. A batch of numbered inputs reaches 36, deflate itself 1,032. */
const MAX_INFLATED_RATIO = 64;
/** Up to this limit, a message is inflated at once: to hand it to a thread would take longer. */
const MAX_AT_ONCE_BYTES = 262_144;
/** Half of the threads of Node's pool, which also reads files and resolves names. */
const MAX_INFLATING = 2;

/** The reason in a close frame has 123 bytes at most. */
const TOO_MUCH = `A message may inflate to ${MIN_INFLATED_BYTES / 1024} KiB, or ${MAX_INFLATED_RATIO} times its size. Split it, or send it over HTTP.`;
const NO_DEFLATE = "A compressed message is no deflate.";

/** Clients leave it off (RFC 7692, 7.2.1). */
const FLUSHED = Buffer.of(0x00, 0x00, 0xff, 0xff);
const NOTHING = Buffer.alloc(0);
const BEYOND_LIMIT = "ERR_BUFFER_TOO_LARGE";

const takeTurn = createTurns(MAX_INFLATING);
const inflateInThread = promisify<Buffer, object, Buffer>(inflateRaw);

/** The WebSocket that it closes. */
interface Closable {
  close(code: number, reason: string): void;
}

type Inflated = (error: Error | null, inflated?: Buffer) => void;

/** There is one for each connection, so they share what they can. */
export class BoundedInflate {
  readonly #ws: Closable;
  readonly #maxBytes: number;
  /** Of a message whose end has not arrived. */
  #fragments: Buffer[] | undefined;

  /** `maxBytes`: of any message. */
  constructor(ws: Closable, maxBytes: number) {
    this.#ws = ws;
    this.#maxBytes = maxBytes;
  }

  /** `ws` calls it with one fragment after the other, each after the answer to the one before, and expects none at once. */
  decompress(data: Buffer, isLast: boolean, done: Inflated): void {
    if (!isLast) {
      (this.#fragments ??= []).push(data);
      setImmediate(done, null, NOTHING);
      return;
    }
    const whole = Buffer.concat([...(this.#fragments ?? []), data, FLUSHED]);
    this.#fragments = undefined;
    const bytes = whole.length - FLUSHED.length;
    const most = Math.min(Math.max(MIN_INFLATED_BYTES, bytes * MAX_INFLATED_RATIO), this.#maxBytes);
    inflate(whole, most).then(
      (inflated) => setImmediate(done, null, inflated),
      (error: Error) => {
        this.#close(error);
        setImmediate(done, error);
      },
    );
  }

  /** Part of the interface of extensions, for one that keeps something. */
  cleanup(): void {
    this.#fragments = undefined;
  }

  #close(error: NodeJS.ErrnoException): void {
    if (error.code === BEYOND_LIMIT) this.#ws.close(MESSAGE_TOO_BIG, TOO_MUCH);
    else this.#ws.close(INVALID_DATA, NO_DEFLATE);
  }
}

async function inflate(bytes: Buffer, most: number): Promise<Buffer> {
  const options = { maxOutputLength: most, finishFlush: constants.Z_SYNC_FLUSH };
  if (most <= MAX_AT_ONCE_BYTES) return inflateRawSync(bytes, options);
  return takeTurn(() => inflateInThread(bytes, options));
}
