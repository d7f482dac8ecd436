/**
 * Encodes entries for clients that negotiated permessage-deflate. A body is deflated once for all watchers to which the same
 * body was sent before it; watchers with the same list and head share the frames too.
 */
import { type Chunk, chunksOf, joined, type Message } from "./chunks.ts";
import type { Compression } from "./compression.ts";
import { compressedFrame, deflateAfter, deflateAlone, textFrameOf } from "./deflate.ts";
import { History, HistoryMessage } from "./history.ts";
import { memoizePerTick } from "./memoize-per-tick.ts";

/** Smaller bodies would hardly shrink. */
const MIN_DEFLATED_BYTES = 64;
/** To deflate this much takes half a millisecond, during which nothing else happens. */
const MAX_DEFLATED_BYTES = 65_536;
/** Of all streams of one encoder. */
const MAX_HISTORY_BYTES = 4 * 1024 * 1024;
/** How often a body is deflated in a tick with histories that differ. */
const MAX_HISTORIES = 16;
/** Clients that count their requests, or name them by UUID, have shorter heads. */
const MAX_MESSAGE_HEAD_BYTES = 64;

/**
 * Returns the frames of entries for a watcher whose messages begin with `head`. `sent`: the last compressed message of its
 * subscription.
 */
export type CompressedFramesOf<E> = (
  entries: readonly E[],
  head: string,
  compression: Compression,
  sent: Message | undefined,
) => readonly Chunk[];

interface Encoded {
  readonly message: HistoryMessage;
  readonly body: Buffer;
  alone: Buffer | undefined;
  /** The body deflated after others. */
  readonly after: { earlier: Message; headBytes: number; deflated: Buffer }[];
}

/** The last compressed message before a list, with its body. */
interface Earlier {
  message: Message;
  body: Buffer;
}

/** The chunks of a list, by head and terms, by the message before. */
type Lists = Map<string, Map<Message | undefined, readonly Chunk[]>>;

/** `bodiesOf` returns what all watchers of an entry share, a body for each of its messages. Bodies contain no NUL. */
export function createCompressedFrames<E extends object>(
  bodiesOf: (entry: E) => readonly Buffer[],
): CompressedFramesOf<E> {
  const history = new History(MAX_HISTORY_BYTES);
  /** Entries of a tail are delivered again to later watchers, which then share their messages with earlier ones. */
  const messages = new WeakMap<E, readonly HistoryMessage[]>();
  const encodedOf = memoizePerTick((entry: E): readonly Encoded[] => {
    const bodies = bodiesOf(entry);
    const before = messages.get(entry);
    const encoded = bodies.map((body, n) => {
      const known = before?.[n];
      // The bytes of an entry may differ from tick to tick, as those of a feed do. Each message has one body.
      const isSame = known?.body?.equals(body) === true;
      const message = isSame ? known : new HistoryMessage(history);
      return { message, body, alone: undefined, after: [] };
    });
    messages.set(
      entry,
      encoded.map(({ message }) => message),
    );
    return encoded;
  });

  function encode(
    entries: readonly E[],
    head: Buffer,
    { windowBytes, forgets }: Compression,
    after: Message | undefined,
  ): readonly Chunk[] {
    const isCompressed = head.length <= MAX_MESSAGE_HEAD_BYTES;
    let earlier: Earlier | undefined =
      after?.body === undefined ? undefined : { message: after, body: after.body };
    let newest: Encoded | undefined;
    const lasts: (Message | undefined)[] = [];
    const frames = entries.map((entry) => {
      const parts = encodedOf(entry).map((each) => {
        const deflated = isCompressed
          ? deflate(each, earlier, head.length, windowBytes)
          : undefined;
        if (deflated === undefined) return textFrameOf(head, each.body);
        if (!forgets) earlier = newest = each;
        return compressedFrame(head, deflated);
      });
      lasts.push(earlier?.message);
      return joined(parts);
    });
    if (newest !== undefined) history.keep(newest.message, newest.body);
    return described(chunksOf(frames), after, lasts);
  }

  const known = memoizePerTick<readonly E[], Lists>(() => new Map());
  return (entries, head, compression, sent) => {
    const after = compression.historyAfter(sent);
    const byHead = known(entries);
    const key = compression.key === "" ? head : compression.key + head;
    let byHistory = byHead.get(key);
    if (byHistory === undefined) byHead.set(key, (byHistory = new Map()));
    let chunks = byHistory.get(after);
    if (chunks === undefined) {
      chunks = encode(entries, Buffer.from(head), compression, after);
      byHistory.set(after, chunks);
    }
    return chunks;
  };
}

/** Returns the deflated body, or `undefined` if it goes out uncompressed. */
function deflate(
  encoded: Encoded,
  earlier: Earlier | undefined,
  headBytes: number,
  windowBytes: number,
): Buffer | undefined {
  const { body, after } = encoded;
  if (body.length < MIN_DEFLATED_BYTES || body.length > MAX_DEFLATED_BYTES) return undefined;
  const reach = headBytes + body.length + (earlier?.body.length ?? 0);
  if (earlier !== undefined && reach <= windowBytes) {
    const { message } = earlier;
    const made = after.find((form) => form.earlier === message && form.headBytes === headBytes);
    if (made !== undefined) return made.deflated;
    if (after.length < MAX_HISTORIES) {
      const deflated = deflateAfter(earlier.body, headBytes, body);
      after.push({ earlier: message, headBytes, deflated });
      return deflated;
    }
  }
  if (body.length > windowBytes) return undefined;
  return (encoded.alone ??= deflateAlone(body));
}

/** `lasts`: the last compressed message up to each entry. */
function described(
  chunks: readonly Chunk[],
  after: Message | undefined,
  lasts: readonly (Message | undefined)[],
): Chunk[] {
  let count = 0;
  let before = after;
  return chunks.map((chunk) => {
    count += chunk.count;
    const last = lasts[count - 1];
    const each = { ...chunk, after: before, last };
    before = last;
    return each;
  });
}
