/** One event at a time to a thousand watchers of one job. */
import { compareDelivery, CPU, ratio } from "#bench/delivery.ts";
import { JOBWIRE_TRPC, RAW_WS, STOCK_TRPC, nchan } from "./contenders.ts";
import type { Scenario } from "./scenario.ts";

export const trpcDelivery: Scenario = {
  name: "trpc-delivery",
  async run({ quick }) {
    const load = quick
      ? { watchers: 50, events: 20, perTick: 1, everyMs: 5, rounds: 1 }
      : { watchers: 1000, events: 60, perTick: 1, everyMs: 50, rounds: 5 };
    const contenders = [JOBWIRE_TRPC, RAW_WS, STOCK_TRPC, nchan()];
    const rows = await compareDelivery(contenders, load);
    const times = (to: string) => ratio(rows, CPU, JOBWIRE_TRPC.who, to);
    return {
      scenario: "trpc-delivery",
      title: `tRPC delivery: ${load.watchers} watchers of one job, one event a tick`,
      rows,
      goals: [
        {
          what: "CPU against the raw ws broadcast",
          figure: times(RAW_WS.who),
          unit: " x",
          atMost: 1,
        },
        { what: "CPU against stock tRPC", figure: times(STOCK_TRPC.who), unit: " x", atMost: 0.25 },
      ],
    };
  },
};
