import type { Report } from "#bench/report.ts";

/** One measurement. `quick`: with small numbers, to check only that it runs. */
export interface Scenario {
  name: string;
  run(options: { quick: boolean }): Promise<Report>;
}
