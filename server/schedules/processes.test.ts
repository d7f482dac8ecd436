/** Several processes fire the same schedules, and are killed at any moment. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import type { ScheduleSummary } from "#shared/schedule.ts";
import { timesOf } from "#test/long-run.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";
import { createStoreSchedule } from "./store-schedule.ts";

const PROGRAM = new URL("../../test/schedules/scheduler-process.ts", import.meta.url).pathname;
const OWNER = { tenant: "acme", owner: "ann" };
const SCHEDULES = 8;
const KILLS = timesOf(4, 40);
const EVERY_MS = 1000;

const { open, redis } = useRedis({});
const processes: ChildProcess[] = [];
afterEach(() => {
  for (const each of processes.splice(0)) each.kill("SIGKILL");
});

async function startProcess(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [PROGRAM, redis().url], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  processes.push(child);
  await once(child.stdout ?? child, "data");
  return child;
}

async function all(engine: Engine): Promise<ScheduleSummary[]> {
  return (await engine.schedules.list({ ...OWNER, limit: SCHEDULES })).items;
}

/** The number of its jobs by plan, of each schedule. */
async function jobsOf(engine: Engine): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let cursor: string | undefined;
  do {
    const page = await engine.listJobs({ ...OWNER, cursor, limit: 200 });
    for (const { id } of page.items) {
      const slice = await engine.readEvents(id, 0, 1);
      const by = slice?.events[0]?.actor?.scheduleId ?? "none";
      counts.set(by, (counts.get(by) ?? 0) + 1);
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return counts;
}

test("[K3] three processes, of which one after the other is killed, fire each time of each schedule once", async () => {
  const engine = await open();
  const validate = { one: (request: object) => ({ title: "", input: {}, kind: "", ...request }) };
  const store = createStoreSchedule({
    store: engine.schedules,
    validate: { ...validate, all: () => Promise.reject(new Error("It validates no batches.")) },
    now: () => new Date(),
  });
  for (let n = 0; n < SCHEDULES; n++) {
    const missed = n % 2 === 0 ? "once" : "skip";
    const request = { key: `${n}`, kind: "report", input: {}, missed, when: { everyMs: EVERY_MS } };
    await store(OWNER, { ...request, missed }, false);
  }
  await Promise.all([startProcess(), startProcess(), startProcess()]);
  for (let kills = 0; kills < KILLS; kills++) {
    const before = await all(engine);
    const versions = new Map(before.map(({ id, version }) => [id, version]));
    // At the moment at which some, and not all, have moved on.
    await vi.waitFor(
      async () => {
        const moved = (await all(engine)).filter(({ id, version }) => version !== versions.get(id));
        expect(moved.length).toBeGreaterThan(0);
      },
      { interval: 1 },
    );
    const [victim] = processes.splice(0, 1);
    victim?.kill("SIGKILL");
    await startProcess();
  }
  // Each has moved on since the last kill, and what the killed ones held is free.
  const killedAt = Date.now();
  await vi.waitFor(async () => {
    for (const { lastAt } of await all(engine)) {
      expect(lastAt?.getTime()).toBeGreaterThan(killedAt);
    }
  });
  const left = processes.splice(0);
  for (const each of left) each.kill("SIGTERM");
  await Promise.all(left.map((each) => once(each, "exit")));

  const schedules = await all(engine);
  const counts = await jobsOf(engine);
  const due = schedules.map(({ id, plannedAt, lastAt }) => [
    id,
    ((lastAt?.getTime() ?? 0) - plannedAt.getTime()) / EVERY_MS,
  ]);
  expect(schedules.map(({ lastMissed }) => lastMissed)).toEqual(schedules.map(() => null));
  expect(Object.fromEntries(counts)).toEqual(Object.fromEntries(due));
});
