/** Metrics of streams and connections. Most are read at a scrape: a delivery adds to plain numbers only. */
import type { Counter } from "prom-client";
import { STREAM_KINDS, type Streams } from "#server/streams/open.ts";
import type { ConnectionUsage } from "#server/transports/usage.ts";
import type { Instruments } from "./instruments.ts";

/** Reports of the HTTP server below all transports. */
export interface ServerObserver {
  /** A connection was closed because its client did not read the answer. */
  stalled(): void;
  /** A connection was closed at once because `MAX_CONNECTIONS` are open. */
  dropped(): void;
}

export function observeServer(instruments: Instruments): ServerObserver {
  return {
    stalled: () => instruments.connectionsStalled.inc({ transport: "http" }),
    dropped: () => instruments.connectionsDropped.inc(),
  };
}

/** `now`: that of the clock by which changes get their times. Returns what is called with the time of a delivered change. */
export function observeLag({ deliveryLag }: Instruments, now: () => Date): (at: Date) => void {
  // A machine's clock can be set back, and another machine's can be ahead.
  return (at) => deliveryLag.observe(Math.max(0, now().getTime() - at.getTime()) / 1000);
}

export function readStreams(instruments: Instruments, usage: ReturnType<Streams["usage"]>): void {
  const all = Object.values(usage);
  instruments.watches.set(all.reduce((sum, { watches }) => sum + watches, 0));
  instruments.watchedStreams.set(all.reduce((sum, { streams }) => sum + streams, 0));
  for (const stream of STREAM_KINDS) {
    const of = usage[stream];
    const labels = { stream };
    setTotal(instruments.deliveredEntries, labels, of.delivered);
    setTotal(instruments.foldedEntries, labels, of.folded);
    setTotal(instruments.watchPauses, labels, of.paused);
    setTotal(instruments.streamGaps, labels, of.gaps);
  }
}

export function readConnections(instruments: Instruments, usage: readonly ConnectionUsage[]): void {
  for (const { kind: transport, open, opened, sent, full, stalled } of usage) {
    const labels = { transport };
    instruments.connections.set(labels, open);
    setTotal(instruments.connectionsOpened, labels, opened);
    setTotal(instruments.sentEntries, labels, sent.entries);
    setTotal(instruments.sentBytes, labels, sent.bytes);
    if (full !== undefined) instruments.connectionsFull.set(labels, full);
    if (stalled !== undefined) setTotal(instruments.connectionsStalled, labels, stalled);
  }
}

/** `total` is counted elsewhere and only grows. */
function setTotal<L extends string>(
  counter: Counter<L>,
  labels: Partial<Record<L, string>>,
  total: number,
): void {
  counter.remove(labels);
  counter.inc(labels, total);
}
