/** Ten events in each tick: what falls together for one socket is to be one write. */
import { compareDelivery, CPU, ratio } from "#bench/delivery.ts";
import { JOBWIRE_TRPC, RAW_WS, STOCK_TRPC, nchan } from "./contenders.ts";
import type { Scenario } from "./scenario.ts";

export const tenATick: Scenario = {
  name: "ten-a-tick",
  async run({ quick }) {
    const load = quick
      ? { watchers: 50, events: 50, perTick: 10, everyMs: 5, rounds: 1 }
      : { watchers: 1000, events: 150, perTick: 10, everyMs: 50, rounds: 3 };
    const rows = await compareDelivery([JOBWIRE_TRPC, RAW_WS, STOCK_TRPC, nchan()], load);
    return {
      scenario: "ten-a-tick",
      title: `tRPC delivery: ${load.watchers} watchers of one job, ten events a tick`,
      rows,
      goals: [
        {
          what: "CPU against the raw ws broadcast of the same",
          figure: ratio(rows, CPU, JOBWIRE_TRPC.who, RAW_WS.who),
          unit: " x",
          atMost: 0.25,
        },
      ],
    };
  },
};
