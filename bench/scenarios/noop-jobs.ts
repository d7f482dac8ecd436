/** Jobs that do nothing: from one call that creates them until the last is delivered. */
import { hasProgram } from "#bench/installed.ts";
import { openProgram, type Program } from "#bench/program.ts";
import type { Goal, Row } from "#bench/report.ts";
import type { Queue } from "#bench/servers/queue.ts";
import { median } from "#bench/statistics.ts";
import type { Scenario } from "./scenario.ts";

const OURS = "Jobwire, embedded";
const ON_REDIS = "Jobwire on Redis";
const BULLMQ = "BullMQ on Redis";
const PER_SECOND = "jobs a second";

export const noopJobs: Scenario = {
  name: "noop-jobs",
  async run({ quick }) {
    const jobs = quick ? 100 : 3000;
    // Warm-up rounds: servers run for days, so JIT compilation and filling caches are not counted.
    const warmUp = quick ? 0 : 4;
    const rounds = quick ? 1 : 7;
    const programs = new Map<string, Program<Queue>>();
    const measured = new Map<string, number[]>();
    programs.set(OURS, openProgram<Queue>("servers/jobwire-queue.ts"));
    if (hasProgram("redis-server", "--version")) {
      const env = { BENCH_ENGINE: "redis" };
      programs.set(ON_REDIS, openProgram<Queue>("servers/jobwire-queue.ts", env));
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
    const rows: Row[] = [OURS, ON_REDIS, BULLMQ].map((who) => {
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
  const theirs = measured.get(BULLMQ);
  if (theirs === undefined) return [];
  const against = (who: string) => median(measured.get(who) ?? []) / median(theirs);
  return [
    { what: "embedded, against plain BullMQ", figure: against(OURS), unit: " x", atLeast: 1 },
    { what: "on Redis, against plain BullMQ", figure: against(ON_REDIS), unit: " x", atLeast: 1 },
  ];
}
