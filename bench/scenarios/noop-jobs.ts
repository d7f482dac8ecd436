/** Jobs that do nothing, created in one call, until the last is delivered. */
import { hasPackage, hasProgram } from "#bench/installed.ts";
import { openProgram, type Program } from "#bench/program.ts";
import type { Goal, Row } from "#bench/report.ts";
import type { Queue } from "#bench/servers/queue.ts";
import { median } from "#bench/statistics.ts";
import type { Scenario } from "./scenario.ts";

const OURS = "Jobwire, embedded";
const BULLMQ = "BullMQ on Redis";
const PER_SECOND = "jobs a second";

export const noopJobs: Scenario = {
  name: "noop-jobs",
  async run({ quick }) {
    const jobs = quick ? 100 : 3000;
    // Servers run for days: what compilers and caches need of the first rounds is not counted.
    const warmUp = quick ? 0 : 4;
    const rounds = quick ? 1 : 7;
    const programs = new Map<string, Program<Queue>>();
    const measured = new Map<string, number[]>();
    programs.set(OURS, openProgram<Queue>("servers/jobwire-queue.ts"));
    if (hasProgram("redis-server", "--version") && ["bullmq", "ioredis"].every(hasPackage)) {
      programs.set(BULLMQ, openProgram<Queue>("servers/bullmq.ts"));
    }
    try {
      for (let round = 0; round < warmUp + rounds; round += 1) {
        for (const [who, program] of programs) {
          const ms = await program.call("run", { jobs });
          if (round >= warmUp)
            measured.set(who, [...(measured.get(who) ?? []), (jobs * 1000) / ms]);
        }
      }
    } finally {
      for (const program of programs.values()) await program.close();
    }
    const rows: Row[] = [OURS, BULLMQ].map((who) => {
      const rates = measured.get(who);
      return rates === undefined ? { who } : { who, figures: { [PER_SECOND]: median(rates) } };
    });
    return {
      scenario: "noop-jobs",
      title: `${jobs.toLocaleString("en")} jobs that do nothing, from created to delivered`,
      rows,
      goals: goalsOf(measured),
    };
  },
};

function goalsOf(measured: ReadonlyMap<string, number[]>): Goal[] {
  const ours = measured.get(OURS);
  const theirs = measured.get(BULLMQ);
  if (ours === undefined || theirs === undefined) return [];
  const figure = median(ours) / median(theirs);
  return [{ what: "against plain BullMQ", figure, unit: " x", atLeast: 1 }];
}
