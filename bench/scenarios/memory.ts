/** What a watcher that has everything costs in memory, by the process that serves it. */
import { openCrowd } from "#bench/crowd.ts";
import { type Contender, deliver, ratio, startContender } from "#bench/delivery.ts";
import type { Row } from "#bench/report.ts";
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
    for (const contender of contenders) rows.push(await memoryOf(contender, watchers));
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

async function memoryOf(contender: Contender, watchers: number): Promise<Row> {
  const { who } = contender;
  const started = await startContender(contender);
  if (started === undefined) return { who };
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
    return {
      who,
      figures: { [RSS]: each(after.rss - before.rss), [HELD]: each(after.held - before.held) },
    };
  } finally {
    await Promise.all([crowd.close(), server.close()]);
  }
}
