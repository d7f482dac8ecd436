/** One event at a time to a thousand watchers of one job. */
import { SINCE_COMMIT } from "#bench/delivery.ts";
import { JOBWIRE_TRPC, RAW_WS, STOCK_TRPC, nchan } from "./contenders.ts";
import { deliveryScenario } from "./delivery-scenario.ts";

export const trpcDelivery = deliveryScenario({
  name: "trpc-delivery",
  title: { what: "tRPC delivery", how: "one event" },
  perTick: 1,
  full: { events: 60, rounds: 9 },
  contenders: () => [JOBWIRE_TRPC, RAW_WS, STOCK_TRPC, nchan()],
  goals: [
    { what: "CPU against the raw ws broadcast", who: JOBWIRE_TRPC, to: RAW_WS, atMost: 1 },
    { what: "CPU against stock tRPC", who: JOBWIRE_TRPC, to: STOCK_TRPC, atMost: 0.25 },
    {
      what: "p50 from the commit against the raw ws broadcast",
      who: JOBWIRE_TRPC,
      to: RAW_WS,
      atMost: 1.5,
      column: SINCE_COMMIT,
    },
  ],
});
