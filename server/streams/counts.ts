/**
 * The streams of a process in numbers, by kind of stream. They are plain numbers that a scrape reads: watchers are many, and
 * each delivery adds to them.
 */
import type { StreamRef } from "#shared/stream-ref.ts";

export type StreamKind = StreamRef["stream"];

export const STREAM_KINDS = [
  "job",
  "draft",
  "lines",
  "batch",
  "feed",
  "presence",
] as const satisfies StreamKind[];

/** Each only grows. */
export interface DeliveryCounts {
  /** Entries that sinks took. */
  delivered: number;
  /** Entries that were folded into later ones, for watchers that were behind (S2). */
  folded: number;
  /** How often a watch stopped because its sink was full (S7). */
  paused: number;
  /** How often a watcher received the current state in place of what followed its cursor (S8). */
  gaps: number;
}

export interface StreamUsage extends Readonly<DeliveryCounts> {
  /** Open now. */
  watches: number;
  /** Streams that have a watch. */
  streams: number;
}

export function newCounts(): DeliveryCounts {
  return { delivered: 0, folded: 0, paused: 0, gaps: 0 };
}

/** Makes a value for each kind of stream. */
export function byStreamKind<T>(make: (kind: StreamKind) => T): Record<StreamKind, T> {
  return {
    job: make("job"),
    draft: make("draft"),
    lines: make("lines"),
    batch: make("batch"),
    feed: make("feed"),
    presence: make("presence"),
  };
}
