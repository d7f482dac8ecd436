/**
 * Measures whether the cost of a delivery stays flat as the number of watchers, of streams per connection, or of events
 * in the log grows. The cost of the event itself (its commit) is measured without watchers and subtracted, because few
 * watchers share it among fewer deliveries.
 */
import { openWatcherPool } from "#bench/watcher-pool.ts";
import { deliver } from "#bench/delivery.ts";
import { openProgram } from "#bench/program.ts";
import type { Goal, Report, Row } from "#bench/report.ts";
import type { Peer } from "#bench/servers/peer.ts";
import { median } from "#bench/statistics.ts";
import type { Scenario } from "./scenario.ts";

interface Point {
  label: string;
  watchers: number;
  streams: number;
  log: number;
}

const WHOLE = "server CPU, µs a delivery";
const WITHOUT_COMMIT = "without the commit, µs";
/** Approximate deliveries at each point. Fewer watchers receive more events. */
const DELIVERIES = 30_000;
const MAX_EVENTS = 300;
const FLAT = 1.5;

export const watchersCurve = curve("watchers", "Scaling: watchers of one job", (quick) =>
  (quick ? [10, 100] : [10, 100, 1000, 10_000]).map((watchers) => ({
    label: `${watchers.toLocaleString("en")} watchers`,
    watchers,
    streams: 1,
    log: 0,
  })),
);

export const streamsCurve = curve(
  "streams",
  "Scaling: streams on each of 100 connections",
  (quick) =>
    (quick ? [1, 10] : [1, 10, 50, 200]).map((streams) => ({
      label: `${streams} streams`,
      watchers: quick ? 10 : 100,
      streams,
      log: 0,
    })),
);

export const logCurve = curve(
  "log",
  "Scaling: events in the log before 200 watchers come",
  (quick) =>
    (quick ? [10, 100] : [10, 100, 1000, 10_000, 100_000]).map((log) => ({
      label: `${log.toLocaleString("en")} events`,
      watchers: quick ? 20 : 200,
      streams: 1,
      log,
    })),
);

function curve(name: string, title: string, pointsOf: (quick: boolean) => Point[]): Scenario {
  return {
    name: `curve-${name}`,
    async run({ quick }): Promise<Report> {
      const rows: Row[] = [];
      for (const point of pointsOf(quick)) rows.push(await measure(point, quick));
      return { scenario: `curve-${name}`, title, rows, goals: [flatness(rows)] };
    },
  };
}

/** Compares the last point with the cheapest. */
function flatness(rows: readonly Row[]): Goal {
  const costs = rows.map(({ figures }) => figures?.[WITHOUT_COMMIT] ?? Number.NaN);
  return {
    what: "the last point against the cheapest",
    figure: (costs.at(-1) ?? Number.NaN) / Math.min(...costs),
    unit: " x",
    atMost: FLAT,
  };
}

async function measure({ label, watchers, streams, log }: Point, quick: boolean): Promise<Row> {
  const server = openProgram<Peer>("servers/jobwire.ts");
  const pool = openWatcherPool(watchers);
  const events = quick ? 20 : Math.max(10, Math.min(MAX_EVENTS, Math.round(DELIVERIES / watchers)));
  const everyMs = quick ? 2 : Math.max(10, watchers / 50);
  try {
    const { port, watches } = await server.call("open", { jobs: streams });
    if (watches.trpc === undefined) throw new Error("The server does not speak tRPC.");
    await server.call("emit", { events: log, perTick: 200, everyMs: 0 });
    await pool.connect(port, [watches.trpc], watchers);
    const load = { watchers, events, perTick: 1, everyMs };
    const rounds = quick ? 1 : 3;
    await deliver({ server, pool }, load);
    const costs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      costs.push((await deliver({ server, pool }, load)).server);
    }
    const whole = median(costs);
    // Measured last, when the server's code is as optimised as it was with watchers.
    await pool.leave();
    const unwatched: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const before = await server.call("cpu", undefined);
      await server.call("emit", { events, perTick: 1, everyMs });
      unwatched.push(((await server.call("cpu", undefined)) - before) / events);
    }
    const perEvent = median(unwatched);
    return {
      who: label,
      figures: { [WHOLE]: whole, [WITHOUT_COMMIT]: whole - perEvent / watchers },
    };
  } finally {
    await Promise.all([pool.close(), server.close()]);
  }
}
