/** One event at a time to a thousand legacy clients that watch one job. */
import { compareDelivery, CPU, ratio } from "#bench/delivery.ts";
import { JOBWIRE_SOCKETIO, STOCK_SOCKETIO, pythonSocketio } from "./contenders.ts";
import type { Scenario } from "./scenario.ts";

export const socketioDelivery: Scenario = {
  name: "socketio-delivery",
  async run({ quick }) {
    const load = quick
      ? { watchers: 50, events: 20, perTick: 1, everyMs: 5, rounds: 1 }
      : { watchers: 1000, events: 60, perTick: 1, everyMs: 50, rounds: 5 };
    const rows = await compareDelivery([JOBWIRE_SOCKETIO, STOCK_SOCKETIO, pythonSocketio()], load);
    return {
      scenario: "socketio-delivery",
      title: `Socket.IO delivery: ${load.watchers} watchers of one job, one event a tick`,
      rows,
      goals: [
        {
          what: "CPU against a stock Socket.IO room",
          figure: ratio(rows, CPU, JOBWIRE_SOCKETIO.who, STOCK_SOCKETIO.who),
          unit: " x",
          atMost: 0.8,
        },
      ],
    };
  },
};
