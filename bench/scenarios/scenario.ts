import type { Report } from "#bench/report.ts";

/** One measurement. `quick`: with small numbers, to check only that it runs. */
export interface Scenario {
  name: string;
  /** More than one report where several tables are of the same data. */
  run(options: { quick: boolean }): Promise<Report | Report[]>;
}
