/** One event at a time with a kilobyte of details, beside the same event without. */
import type { Contender } from "#bench/delivery.ts";
import { JOBWIRE_TRPC, RAW_WS } from "./contenders.ts";
import { deliveryScenario } from "./delivery-scenario.ts";

const WITH = { details: 1024 };
const JOBWIRE_WITH: Contender = { ...JOBWIRE_TRPC, ...WITH, who: "Jobwire, with details" };
const RAW_WITH: Contender = { ...RAW_WS, ...WITH, who: "raw ws, with details" };

export const details = deliveryScenario({
  name: "details",
  title: { what: "1 KB of details in each event, or none", how: "one event" },
  perTick: 1,
  full: { events: 60, rounds: 9 },
  contenders: () => [JOBWIRE_TRPC, JOBWIRE_WITH, RAW_WS, RAW_WITH],
  goals: [
    { what: "CPU with details against without", who: JOBWIRE_WITH, to: JOBWIRE_TRPC, atMost: 1.25 },
    {
      what: "CPU with details against the raw ws broadcast of the same",
      who: JOBWIRE_WITH,
      to: RAW_WITH,
      atMost: 1,
    },
  ],
});
