import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { Engine } from "#server/engine/contract.ts";
import { defineKind } from "#server/kinds/define.ts";
import { AppError } from "#shared/errors.ts";
import { me } from "#test/jobs/acting.ts";
import { startRetention } from "./retention.ts";
import { eventually, openJobsFixture, type JobsFixture } from "#test/jobs/jobs.fixture.ts";

const DAY_MS = 24 * 60 * 60_000;
const lines: { msg: string; deleted?: number }[] = [];
const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });

let fixture: JobsFixture;
let stop: () => void;

beforeEach(async () => {
  lines.length = 0;
  fixture = await openJobsFixture();
});
afterEach(async () => {
  stop();
  await fixture.close();
});

const start = (
  options: Pick<Parameters<typeof startRetention>[0], "days" | "kinds"> & {
    engine?: Pick<Engine, "prune">;
  },
) => {
  stop = startRetention({ engine: fixture.engine, now: fixture.now, log, everyMs: 5, ...options });
};

async function cancelled(): Promise<string> {
  const jobId = await fixture.create();
  await fixture.jobs.decide(me, jobId, "cancel");
  return jobId;
}

const kind = (retentionDays?: number) =>
  defineKind({
    name: "work",
    retentionDays,
    input: z.null(),
    output: z.null(),
    run: async () => null,
  });
const ago = (days: number) => new Date(fixture.now().getTime() - days * DAY_MS);

const total = async () => (await fixture.jobs.list(me, { limit: 1000 })).items.length;

test("jobs that settled long enough ago are deleted at the start, however many, and no others", async () => {
  const jobs = Array.from({ length: 450 }, () => ({ kind: "work", input: {} }));
  const batch = await fixture.jobs.createBatch(me, { jobs });
  await fixture.jobs.cancelBatch(me, batch.id);
  fixture.advance(10 * DAY_MS);
  const waiting = await fixture.create();
  const recent = await cancelled();
  fixture.advance(1);
  start({ days: 10 });
  await eventually(async () => expect(await total()).toBe(2));
  await eventually(() =>
    expect(lines).toMatchObject([{ msg: "Old jobs were deleted", deleted: 450 }]),
  );
  expect(await fixture.job(waiting)).toMatchObject({ status: "PENDING" });
  expect(await fixture.job(recent)).toMatchObject({ status: "ABORTED" });
});

test("[E12] a kind is kept for as long as it says, in place of the server's days", async () => {
  const asked: unknown[] = [];
  const engine = {
    async prune(before: Date | null, _limit: number, kinds?: ReadonlyMap<string, Date | null>) {
      asked.push(before, ...(kinds ?? []));
      return 0;
    },
  };
  const kinds = new Map(
    [kind(7), { ...kind(0), name: "kept" }, { ...kind(), name: "plain" }].map((each) => [
      each.name,
      each,
    ]),
  );
  start({ days: 10, engine, kinds });
  stop();
  await eventually(() => expect(asked).toEqual([ago(10), ["work", ago(7)], ["kept", null]]));
  asked.length = 0;
  start({ days: 0, engine, kinds });
  stop();
  await eventually(() => expect(asked).toEqual([null, ["work", ago(7)], ["kept", null]]));
  asked.length = 0;
  kinds.delete("work");
  start({ days: 0, engine, kinds });
  stop();
  expect(asked).toEqual([]);
});

test("where another process deletes some of the same, it goes on until none are left", async () => {
  const left = [200, 3, 0, 7];
  const prune = async () => left.shift() ?? 0;
  start({ days: 10, engine: { prune } });
  await eventually(() =>
    expect(lines).toMatchObject([{ msg: "Old jobs were deleted", deleted: 203 }, { deleted: 7 }]),
  );
});

test("a job is deleted once its time has come, and its watchers and readers are told so", async () => {
  const jobId = await cancelled();
  start({ days: 10 });
  fixture.advance(10 * DAY_MS);
  expect(await total()).toBe(1);
  fixture.advance(1);
  await eventually(() => expect(fixture.job(jobId)).rejects.toMatchObject({ code: "NOT_FOUND" }));
});

test("0 days keeps everything", async () => {
  let asked = 0;
  start({ days: 0, engine: { prune: async () => ++asked } });
  await cancelled();
  fixture.advance(100_000 * DAY_MS);
  expect(asked).toBe(0);
  expect(await total()).toBe(1);
});

test("an engine that cannot delete now is asked again later", async () => {
  let refusals = 2;
  const { engine } = fixture;
  const prune: Engine["prune"] = async (...args) => {
    if (refusals-- > 0) throw new AppError("UNAVAILABLE", "The disk is full.");
    return engine.prune(...args);
  };
  await cancelled();
  fixture.advance(2 * DAY_MS);
  start({ days: 1, engine: { prune } });
  await eventually(async () => expect(await total()).toBe(0));
  expect(lines[0]?.msg).toBe("Old jobs could not be deleted. The next run tries again");
});
