/** Memory that an idle, caught-up watcher costs the server process. */
import { openWatcherPool } from "#bench/watcher-pool.ts";
import { type Contender, deliver, ratio, startContender } from "#bench/delivery.ts";
import type { Row } from "#bench/report.ts";
import { median } from "#bench/statistics.ts";
import {
  JOBWIRE_SOCKETIO,
  JOBWIRE_TRPC,
  RAW_WS,
  STOCK_SOCKETIO,
  STOCK_TRPC,
  nchan,
  pythonSocketio,
} from "./contenders.ts";
import type { Scenario } from "./scenario.ts";

const RSS = "resident, KiB a watcher";
const HELD = "heap and buffers, KiB a watcher";
const RUNS = 3;

interface Figures {
  [RSS]: number;
  [HELD]: number;
}

export const memory: Scenario = {
  name: "memory",
  async run({ quick }) {
    const watchers = quick ? 200 : 4000;
    const contenders = [
      JOBWIRE_TRPC,
      RAW_WS,
      STOCK_TRPC,
      nchan(),
      JOBWIRE_SOCKETIO,
      STOCK_SOCKETIO,
      pythonSocketio(),
    ];
    const rows: Row[] = [];
    for (const contender of contenders) rows.push(await medianOf(contender, watchers, quick));
    return {
      scenario: "memory",
      title: `Memory: ${watchers} watchers of one job, each on a connection of its own`,
      rows,
      goals: [RSS, HELD].flatMap((column) => [
        {
          what: `tRPC watcher against raw ws, ${column.split(",")[0]}`,
          figure: ratio(rows, column, JOBWIRE_TRPC.who, RAW_WS.who),
          unit: " x",
          atMost: 1.3,
        },
        {
          what: `Socket.IO watcher against a stock room, ${column.split(",")[0]}`,
          figure: ratio(rows, column, JOBWIRE_SOCKETIO.who, STOCK_SOCKETIO.who),
          unit: " x",
          atMost: 1,
        },
      ]),
    };
  },
};

/** The median of several runs: resident memory depends on when pages were returned, and single runs differ by 0.9 to 1.45. */
async function medianOf(contender: Contender, watchers: number, quick: boolean): Promise<Row> {
  const { who } = contender;
  const runs: Figures[] = [];
  for (let run = 0; run < (quick ? 1 : RUNS); run += 1) {
    const figures = await memoryOf(contender, watchers);
    if (figures === undefined) return { who };
    runs.push(figures);
  }
  const medianBy = (column: keyof Figures) => median(runs.map((figures) => figures[column]));
  return { who, figures: { [RSS]: medianBy(RSS), [HELD]: medianBy(HELD) } };
}

async function memoryOf(contender: Contender, watchers: number): Promise<Figures | undefined> {
  const started = await startContender(contender);
  if (started === undefined) return undefined;
  const { server, port, watch } = started;
  // The first tenth connects before the measurement, for allocations that a server makes once.
  const first = Math.ceil(watchers / 10);
  const pool = openWatcherPool(watchers + first);
  try {
    const connectAndDeliver = async (count: number, total: number) => {
      await pool.connect(port, [watch], count);
      await deliver({ server, pool }, { watchers: total, events: 10, perTick: 1, everyMs: 20 });
      return server.call("memory", undefined);
    };
    const before = await connectAndDeliver(first, first);
    const after = await connectAndDeliver(watchers, watchers + first);
    const each = (bytes: number) => bytes / watchers / 1024;
    return { [RSS]: each(after.rss - before.rss), [HELD]: each(after.held - before.held) };
  } finally {
    await Promise.all([pool.close(), server.close()]);
  }
}
