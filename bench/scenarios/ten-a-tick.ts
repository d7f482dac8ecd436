/** Ten events per tick, which should take one write per socket. */
import { JOBWIRE_TRPC, RAW_WS, STOCK_TRPC, nchan } from "./contenders.ts";
import { deliveryScenario } from "./delivery-scenario.ts";

export const tenATick = deliveryScenario({
  name: "ten-a-tick",
  title: { what: "tRPC delivery", how: "ten events" },
  perTick: 10,
  full: { events: 150, rounds: 3 },
  contenders: () => [JOBWIRE_TRPC, RAW_WS, STOCK_TRPC, nchan()],
  goals: [
    {
      what: "CPU against the raw ws broadcast of the same",
      who: JOBWIRE_TRPC,
      to: RAW_WS,
      atMost: 0.25,
    },
  ],
});
