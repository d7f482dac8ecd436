/** [S7] One of many watchers stops reading: it costs the server a bounded buffer and the others nothing. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { timesOf } from "#test/long-run.ts";
import { type DrivenServer, startDrivenServer } from "./driven-server.ts";
import { openPolling, type OpenRaw, openSocketio, openTrpc } from "./raw-clients.ts";

const MIB = 1024 * 1024;
/** The bounded buffer plus the heap's own variation. An unbounded buffer would take 10 MiB or more. */
const MAY_GROW = 4 * MIB;
/** The length of each event's message. */
const CHARS = 1000;
const WAIT = { timeout: 120_000, interval: 20 };

let server: DrivenServer;
beforeEach(async () => {
  // It sleeps for longer where the machine is slow: the server must not give it up meanwhile.
  server = await startDrivenServer({
    STALL_TIMEOUT_MS: "3600000",
    PING_INTERVAL_MS: "3600000",
  });
});
afterEach(async () => {
  await server.stop();
});

/** Counts of the events that one watcher received. */
interface Tally {
  /** The newest step received. */
  step: number;
  told: number;
  /** Steps that arrived after a newer one, or twice. */
  backwards: number;
  /** Statuses of events that were not steps. */
  statuses: string[];
  /** Folded steps, where the protocol reports them. */
  skipped: number;
}

function tally(): Tally & { onText(text: string): void } {
  const numbers: Tally = { step: 0, told: 0, backwards: 0, statuses: [], skipped: 0 };
  return Object.assign(numbers, {
    onText(text: string) {
      const status = /"status":"(\w+)"/.exec(text)?.[1];
      // The same event also arrives as an update.
      if (status === undefined || text.startsWith('42["job:completed"')) return;
      const step = /step (\d+) /.exec(text)?.[1];
      numbers.told += 1;
      numbers.skipped += Number(/"skipped":(\d+)/.exec(text)?.[1] ?? 0);
      if (step === undefined) return void numbers.statuses.push(status);
      if (Number(step) <= numbers.step) numbers.backwards += 1;
      numbers.step = Number(step);
    },
  });
}

const used = async () => {
  const { heapUsed, external } = await server.memory();
  return heapUsed + external;
};

test.each<[string, OpenRaw, number, number]>([
  ["tRPC over WebSocket", openTrpc, timesOf(12, 100), timesOf(20_000, 50_000)],
  ["Socket.IO over WebSocket", openSocketio, timesOf(12, 100), timesOf(20_000, 50_000)],
  ["Socket.IO over polling", openPolling, timesOf(12, 20), 10_000],
])(
  "[S2] [S3] [S7] over %s the server's memory stays flat, and the others lose nothing",
  async (_name, open, watchers, events) => {
    const jobId = await server.startJob();
    const readers = Array.from({ length: watchers - 1 }, tally);
    const stalled = tally();
    const clients = readers.map(({ onText }) => open(server.url, jobId, onText));
    const sleeper = open(server.url, jobId, stalled.onText);
    const allStarted = () => [...readers, stalled].every(({ told }) => told === 1);
    await vi.waitFor(() => expect(allStarted()).toBe(true), WAIT);

    sleeper.pause();
    // Fills all buffers on the way.
    await server.emit(jobId, events / 5, CHARS);
    await vi.waitFor(
      () => expect(readers.every(({ step }) => step === events / 5)).toBe(true),
      WAIT,
    );
    const before = await used();
    const asleep = stalled.told;
    await server.emit(jobId, (events / 5) * 4, CHARS);
    await vi.waitFor(() => expect(readers.every(({ step }) => step === events)).toBe(true), WAIT);
    // The stalled watcher's buffer stays; the rest is freed by garbage collection.
    await vi.waitFor(async () => expect((await used()) - before).toBeLessThan(MAY_GROW), WAIT);
    expect(readers.map(({ backwards }) => backwards)).toEqual(readers.map(() => 0));

    await server.deliver(jobId);
    await vi.waitFor(
      () => expect(readers.every(({ statuses }) => statuses.at(-1) === "DELIVERED")).toBe(true),
      WAIT,
    );
    expect(stalled.statuses).not.toContain("DELIVERED");
    sleeper.resume();
    await vi.waitFor(() => expect(stalled.statuses.at(-1)).toBe("DELIVERED"), WAIT);
    expect(stalled.statuses).toEqual(["PROCESSING", "DELIVERED"]);
    expect(stalled.backwards).toBe(0);
    expect(stalled.told - asleep).toBeLessThan(events / 2);
    // The legacy protocol does not report folded events.
    const story = ({ told, skipped }: Tally) => (open === openTrpc ? told + skipped : events + 2);
    expect([...readers, stalled].map(story)).toEqual(Array(watchers).fill(events + 2));
    for (const client of [...clients, sleeper]) client.cut();
    expect(server.complaints()).toBe("");
  },
);
