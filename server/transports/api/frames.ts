/** Encodes the entries of streams: as events of SSE, and as the texts of a WebSocket. All watchers of a list share the bytes. */
import type { Entry } from "#server/streams/open.ts";
import { type Chunk, chunksOf, type Message } from "#server/transports/sockets/chunks.ts";
import { createCompressedFrames } from "#server/transports/sockets/compressed-frames.ts";
import type { Compression } from "#server/transports/sockets/compression.ts";
import { memoizePerTick } from "#server/transports/sockets/memoize-per-tick.ts";
import { textFrame } from "#server/transports/sockets/text-frame.ts";

type Entries = readonly Entry<unknown>[];

/** The encodings of the streams with one name of events. */
export interface Frames {
  asEvents(entries: Entries): readonly Chunk[];
  /** `sent`: the last compressed message of the connection. */
  asTexts(
    entries: Entries,
    compression: Compression | undefined,
    sent: Message | undefined,
  ): readonly Chunk[];
}

export function createFrames(event: string): Frames {
  const jsonOf = memoizePerTick(({ value }: Entry<unknown>) => ({ text: JSON.stringify(value) }));
  const textOf = (entry: Entry<unknown>) =>
    `{"id":"${entry.pos}","event":"${event}","data":${jsonOf(entry).text}}`;
  const compressed = createCompressedFrames((entry: Entry<unknown>) => [
    Buffer.from(textOf(entry)),
  ]);
  const plain = memoizePerTick((entries: Entries) =>
    chunksOf(entries.map((entry) => textFrame(textOf(entry)))),
  );
  const asEvents = memoizePerTick((entries: Entries) =>
    chunksOf(
      entries.map((entry) => eventOf({ id: String(entry.pos), event, data: jsonOf(entry).text })),
    ),
  );
  return {
    asEvents,
    asTexts: (entries, compression, sent) =>
      compression === undefined ? plain(entries) : compressed(entries, "", compression, sent),
  };
}

/** `data` is JSON, which has no line breaks. */
export function eventOf({ id, event, data }: { id?: string; event: string; data: string }): Buffer {
  const first = id === undefined ? "" : `id: ${id}\n`;
  return Buffer.from(`${first}event: ${event}\ndata: ${data}\n\n`);
}

/** The events at the end of a stream, beside those of its entries. */
export const END_EVENT = "end";
/** `data` is a problem. */
export const PROBLEM_EVENT = "problem";
