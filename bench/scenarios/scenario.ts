import type { Report } from "#bench/report.ts";

/** Measures one thing. `quick`: with numbers so small that only the way there is tried. */
export interface Scenario {
  name: string;
  run(options: { quick: boolean }): Promise<Report>;
}
