/** Fires the schedules of a Redis, in a process that a test kills: `node scheduler-process.ts <address of Redis>`. */
import { pino } from "pino";
import { openRedisEngine } from "#server/engine/redis/open.ts";
import { createJobs } from "#server/jobs/jobs.ts";
import { defineKind } from "#server/kinds/define.ts";
import { createKindRegistry } from "#server/kinds/registry.ts";
import { startScheduler } from "#server/schedules/scheduler.ts";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import { z } from "zod";

const [, , url = ""] = process.argv;
const engine = await openRedisEngine({ url });
const kinds = createKindRegistry([
  defineKind({ name: "report", input: z.object({}), output: z.null(), run: async () => null }),
]);
const scheduler = startScheduler({
  engine,
  jobs: createJobs(engine, kinds),
  kinds,
  clock: SYSTEM_CLOCK,
  observer: { fired: () => undefined, lagged: () => undefined },
  log: pino({ level: "silent" }),
  // Slow machines miss no firing, so that each of them is counted.
  graceMs: 3_600_000,
});
process.stdout.write("ready\n");
process.stdin.resume();
process.once("SIGTERM", () => {
  void scheduler
    .stop()
    .then(() => engine.close())
    .then(() => process.exit(0));
});
