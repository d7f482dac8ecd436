/** What a watcher that has everything costs in memory, by the process that serves it. */
import { openCrowd } from "#bench/crowd.ts";
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
      goals: [RSS, HELD].map((column) => ({
        what: `tRPC watcher against raw ws, ${column.split(",")[0]}`,
        figure: ratio(rows, column, JOBWIRE_TRPC.who, RAW_WS.who),
        unit: " x",
        atMost: 1.3,
      })),
    };
  },
};

/** Resident memory depends on when pages were given back: the ratio of two single runs was between 0.9 and 1.45. */
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
  // A tenth comes first, so that what a server makes once is there already.
  const first = Math.ceil(watchers / 10);
  const crowd = openCrowd(watchers + first);
  try {
    const connectAndDeliver = async (count: number, total: number) => {
      await crowd.connect(port, [watch], count);
      await deliver({ server, crowd }, { watchers: total, events: 10, perTick: 1, everyMs: 20 });
      return server.call("memory", undefined);
    };
    const before = await connectAndDeliver(first, first);
    const after = await connectAndDeliver(watchers, watchers + first);
    const each = (bytes: number) => bytes / watchers / 1024;
    return { [RSS]: each(after.rss - before.rss), [HELD]: each(after.held - before.held) };
  } finally {
    await Promise.all([crowd.close(), server.close()]);
  }
}
