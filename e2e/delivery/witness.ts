/** A client of a job on one transport that records every connection and checks the records against the log. */
import superjson from "superjson";
import { checkRecord, type Connection } from "#test/streams/check-record.ts";
import type { JobEvent } from "#shared/events.ts";
import { legacyOfJob } from "#shared/legacy.ts";
import {
  type OpenRaw,
  openPolling,
  openSocketio,
  openSse,
  openTrpc,
  type RawClient,
} from "./raw-clients.ts";

export interface Witness {
  readonly name: string;
  pause(): void;
  resume(): void;
  /** Breaks the connection and opens a new one with the cursor. */
  cut(): void;
  /** Status of the newest event. */
  newest(): string | undefined;
  faults(log: readonly JobEvent[]): string[];
  leave(): void;
}

type Serialized = Parameters<typeof superjson.deserialize>[0];

function eventInFrame(text: string): JobEvent | undefined {
  const { result } = JSON.parse(text) as { result?: { type: string; data: Serialized } };
  if (result?.type !== "data") return undefined;
  return superjson.deserialize<{ data: JobEvent }>(result.data).data;
}

function eventInSse(text: string): JobEvent | undefined {
  if (!text.includes("\nid: ")) return undefined;
  const data = /^data: (.*)$/m.exec(text)?.[1];
  return data === undefined ? undefined : superjson.deserialize(JSON.parse(data) as Serialized);
}

function typed(name: string, openRaw: OpenRaw, parse: (text: string) => JobEvent | undefined) {
  return (url: string, jobId: string): Witness => {
    const connections: (Connection & { seen: JobEvent[] })[] = [];
    const newest = () => connections.findLast(({ seen }) => seen.length > 0)?.seen.at(-1);
    const client = reopening((after) => {
      const connection = { after, seen: [] as JobEvent[] };
      connections.push(connection);
      return openRaw(
        url,
        jobId,
        (text) => {
          const event = parse(text);
          if (event !== undefined && connection === connections.at(-1)) connection.seen.push(event);
        },
        after,
      );
    });
    return {
      name,
      ...client,
      cut: () => client.cut(newest()?.seq),
      newest: () => newest()?.status,
      faults: (log) => checkRecord(log, connections),
    };
  };
}

function legacy(name: string, openRaw: OpenRaw) {
  return (url: string, jobId: string): Witness => {
    /** Events of each connection, in order. */
    const connections: string[][] = [];
    const client = reopening(() => {
      const seen: string[] = [];
      connections.push(seen);
      return openRaw(url, jobId, (text) => {
        if (text.startsWith('42["job:') && seen === connections.at(-1)) seen.push(text.slice(2));
      });
    });
    return {
      name,
      ...client,
      cut: () => client.cut(undefined),
      newest: () => statusIn(connections.findLast((seen) => seen.length > 0)?.at(-1)),
      faults: (log) => connections.flatMap((seen, index) => checkLegacy(log, seen, index)),
    };
  };
}

const statusIn = (text: string | undefined) => /"status":"(\w+)"/.exec(text ?? "")?.[1];

/**
 * Checks rules S1 to S6 on the legacy protocol, which has neither cursors nor a count of folded events. `seen`: event
 * names with their payloads, as JSON.
 */
export function checkLegacy(
  log: readonly JobEvent[],
  seen: readonly string[],
  index: number,
): string[] {
  const story = log.flatMap((event) =>
    legacyOfJob(event).map(({ name, payload }) => ({
      text: JSON.stringify([name, payload]),
      type: event.type,
    })),
  );
  const faults: string[] = [];
  let next: number | undefined;
  for (const text of seen) {
    const at = story.findIndex((line, place) => place >= (next ?? 0) && line.text === text);
    if (at < 0) {
      faults.push(`connection ${index}: [S1] [S6] not in the log, or too late: ${text}`);
      continue;
    }
    const dropped = story.slice(next ?? at, at).find(({ type }) => type !== "progress");
    if (dropped !== undefined) faults.push(`connection ${index}: [S3] missing: ${dropped.text}`);
    next = at + 1;
  }
  return faults;
}

function reopening(open: (after: number | undefined) => RawClient) {
  let client = open(undefined);
  return {
    pause: () => client.pause(),
    resume: () => client.resume(),
    cut(after: number | undefined) {
      client.cut();
      client = open(after);
    },
    leave: () => client.cut(),
  };
}

export const WITNESSES = [
  typed("tRPC over WebSocket", openTrpc, eventInFrame),
  typed("tRPC over SSE", openSse, eventInSse),
  legacy("Socket.IO over WebSocket", openSocketio),
  legacy("Socket.IO over polling", openPolling),
];
