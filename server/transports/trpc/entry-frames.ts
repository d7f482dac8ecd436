/**
 * Entries of our own streams as frames of a tRPC WebSocket: serialised once, the request's id spliced in front, and
 * one shared frame for all watchers whose request has the same id.
 */
import type { Entry } from "#server/streams/open.ts";
import { onceATick } from "#server/transports/once-a-tick.ts";
import { textFrame } from "#server/transports/text-frame.ts";

/** Gives the frame of an entry for a watcher whose answers begin with `head`. */
export type FrameOf = (entry: Entry<unknown>, head: string) => Buffer;

/** Shared by all connections. `encode`: the text of an entry from the end of `head` on. */
export function createFrames(encode: (id: string, data: unknown) => string): FrameOf {
  const encoded = onceATick(({ pos, value }: Entry<unknown>) => ({
    text: encode(String(pos), value),
    frames: new Map<string, Buffer>(),
  }));
  let last: { entry: Entry<unknown>; head: string; frame: Buffer } | undefined;
  const forget = () => (last = undefined);
  return (entry, head) => {
    // Of many watchers, most ask for what the one before them got.
    if (last?.entry === entry && last.head === head) return last.frame;
    const { text, frames } = encoded(entry);
    let frame = frames.get(head);
    if (frame === undefined) {
      frame = textFrame(head + text);
      frames.set(head, frame);
    }
    if (last === undefined) setImmediate(forget);
    last = { entry, head, frame };
    return frame;
  };
}
