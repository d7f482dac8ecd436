/** What is common to the scenarios of delivery: many watchers of one job, contenders side by side, CPU as ratios. */
import { compareDelivery, type Contender, CPU, type Load, ratio } from "#bench/delivery.ts";
import type { Scenario } from "./scenario.ts";

export interface DeliveryScenario {
  name: string;
  /** What is delivered, and how much of it at once. */
  title: { what: string; how: string };
  perTick: number;
  /** What a full run does; a quick one does a little of it. */
  full: Pick<Load, "events" | "rounds">;
  contenders(): Contender[];
  /** The CPU of the first, divided by that of another. */
  goals: { what: string; who: Contender; to: Contender; atMost: number }[];
}

const QUICK_TICKS = 20;
/** So long that all but the slowest contenders are done with one tick before the next. */
const EVERY_MS = 50;

export function deliveryScenario(scenario: DeliveryScenario): Scenario {
  const { name, title, perTick, full, goals } = scenario;
  return {
    name,
    async run({ quick }) {
      const load = quick
        ? { watchers: 50, perTick, everyMs: 5, events: QUICK_TICKS * perTick, rounds: 1 }
        : { watchers: 1000, perTick, everyMs: EVERY_MS, ...full };
      const rows = await compareDelivery(scenario.contenders(), load);
      return {
        scenario: name,
        title: `${title.what}: ${load.watchers} watchers of one job, ${title.how} a tick`,
        rows,
        goals: goals.map(({ what, who, to, atMost }) => ({
          what,
          figure: ratio(rows, CPU, who.who, to.who),
          unit: " x",
          atMost,
        })),
      };
    },
  };
}
