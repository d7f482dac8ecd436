/** Shared part of the delivery scenarios: many watchers of one job, contenders side by side, CPU as ratios. */
import { compareDelivery, type Contender, CPU, type Load, ratio } from "#bench/delivery.ts";
import type { Scenario } from "./scenario.ts";

export interface DeliveryScenario {
  name: string;
  /** The delivered events, and how many of them per tick. */
  title: { what: string; how: string };
  perTick: number;
  /** Load of a full run; a quick run takes a fraction of it. */
  full: Pick<Load, "events" | "rounds">;
  contenders(): Contender[];
  /** Upper bound for the CPU, or another column, of `who` divided by that of `to`. */
  goals: { what: string; who: Contender; to: Contender; atMost: number; column?: string }[];
}

const QUICK_TICKS = 20;
/** Long enough for all but the slowest contenders to finish a tick before the next. */
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
        goals: goals.map(({ what, who, to, atMost, column = CPU }) => ({
          what,
          figure: ratio(rows, column, who.who, to.who),
          unit: " x",
          atMost,
        })),
      };
    },
  };
}
