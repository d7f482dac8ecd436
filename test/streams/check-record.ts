/** Compares the events that a watcher received with the job's log: rules S1 to S6. For tests of every transport. */
import type { JobEvent } from "#shared/events.ts";

export interface Connection {
  /** The cursor that the watcher sent, if any. */
  after: number | undefined;
  seen: readonly JobEvent[];
}

/** Returns the violations of the rules, in words. */
export function checkRecord(
  log: readonly JobEvent[],
  connections: readonly Connection[],
): string[] {
  return connections.flatMap((connection, index) =>
    checkConnection(log, connection).map((fault) => `connection ${index}: ${fault}`),
  );
}

function checkConnection(log: readonly JobEvent[], { after, seen }: Connection): string[] {
  const faults: string[] = [];
  let last = after;
  for (const event of seen) {
    const { skipped = 0, gap, ...shown } = event;
    const logged = log[event.seq - 1];
    if (JSON.stringify(sorted(logged)) !== JSON.stringify(sorted(shown))) {
      faults.push(`[S6] seq ${event.seq} differs from the log`);
    }
    // A gap invalidates the cursor before it (S8).
    if (last !== undefined && gap === undefined) {
      if (event.seq <= last) faults.push(`[S1] seq ${event.seq} came after ${last}`);
      const missing = log.slice(last, event.seq - 1);
      if (missing.length !== skipped) {
        faults.push(
          `[S2] ${missing.length} events before seq ${event.seq} are missing, but skipped is ${skipped}`,
        );
      }
      const dropped = missing.find(({ type }) => type !== "progress");
      if (dropped !== undefined)
        faults.push(`[S3] seq ${dropped.seq} (${dropped.type}) was folded`);
    }
    last = event.seq;
  }
  return faults;
}

function sorted(event: object | undefined): unknown {
  return Object.entries(event ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
