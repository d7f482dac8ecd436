/**
 * One watcher stops reading while others go on. Each server emits the same events without and with the stalled watcher;
 * the difference in memory is its cost. The events exceed the kernel's buffers many times.
 */
import { openWatcherPool } from "#bench/watcher-pool.ts";
import type { Row } from "#bench/report.ts";
import { type Contender, startContender } from "#bench/delivery.ts";
import { JOBWIRE_SOCKETIO, JOBWIRE_TRPC, RAW_WS, STOCK_SOCKETIO } from "./contenders.ts";
import type { Scenario } from "./scenario.ts";

const READING = 3;
const LENGTH = 1000;
const HELD = "MiB held for it";

export const stalled: Scenario = {
  name: "stalled",
  async run({ quick }) {
    const events = quick ? 2000 : 40_000;
    const contenders = [JOBWIRE_TRPC, JOBWIRE_SOCKETIO, RAW_WS, STOCK_SOCKETIO];
    const rows: Row[] = [];
    for (const contender of contenders) rows.push(await costOf(contender, events));
    const held = (who: string) =>
      rows.find((row) => row.who === who)?.figures?.[HELD] ?? Number.NaN;
    return {
      scenario: "stalled",
      title: `One watcher reads nothing while ${events.toLocaleString("en")} events of ${LENGTH} characters go out`,
      rows,
      goals: [JOBWIRE_TRPC, JOBWIRE_SOCKETIO].map(({ who }) => ({
        what: `held for it by ${who}`,
        figure: held(who),
        unit: " MiB",
        atMost: 1,
      })),
    };
  },
};

async function costOf(contender: Contender, events: number): Promise<Row> {
  const { who } = contender;
  const started = await startContender(contender);
  if (started === undefined) return { who };
  const { server, port, watch } = started;
  const stalling = openWatcherPool(1);
  const reading = openWatcherPool(READING);
  try {
    await reading.connect(port, [watch], READING);
    const emit = async () => {
      await reading.expect(events);
      await server.call("emit", { events, perTick: 50, everyMs: 0, length: LENGTH });
      await reading.arrived();
      return (await server.call("memory", undefined)).held;
    };
    await emit();
    const without = await emit();
    await stalling.connect(port, [watch], 1);
    await stalling.pause(1);
    const withIt = await emit();
    return {
      who,
      figures: {
        [HELD]: (withIt - without) / 2 ** 20,
        "MiB that went past it": (events * LENGTH) / 2 ** 20,
      },
    };
  } finally {
    await Promise.all([stalling.close(), reading.close(), server.close()]);
  }
}
