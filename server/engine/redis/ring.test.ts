/** News that processes tell the ring in any order, and how turns are taken and given back. */
import { expect, test } from "vitest";
import { useRedis } from "#test/redis/engine.fixture.ts";
import { createKeys } from "./keys.ts";
import { type Ended, openRing, type Ring } from "./ring.ts";
import { createScripts } from "./scripts.ts";

const { redis } = useRedis();

const STEP = 27_720;

let calls = 0;

function open(weights: ReadonlyMap<string, number> = new Map()): Ring {
  const run = createScripts(redis().client);
  const hints = { onWork: () => Promise.resolve(() => undefined) };
  return openRing({
    run,
    keys: createKeys("jobwire"),
    hints,
    weights,
    op: () => `op.${(calls += 1)}`,
  });
}

const KIND = "article";
const ready = (tenant: string, moment: number) => ({
  tenant,
  is: "ready" as const,
  moment,
  free: [KIND],
});
const ended = (tenant: string, more: Partial<Ended>): Ended => ({
  tenant,
  is: "empty",
  taken: 0,
  given: 0,
  before: { turn: "", added: "0" },
  moment: 0,
  alarm: "",
  free: more.is === "ready" ? [KIND] : [],
  hasClosed: false,
  held: [],
  permits: [],
  ...more,
});

async function turnsOf(ring: Ring, room = 9): Promise<[string, number][]> {
  return (await ring.turn([], room, "")).runs;
}

test("a claim that found no job does not end the place of one that was stored after it", async () => {
  const ring = open();
  await ring.tell([ready("a", 10)]);
  await ring.turn([], 1, "");
  // The next job came between the claim and its end.
  await ring.tell([ready("a", 30)]);
  await ring.turn([ended("a", { moment: 20 })], 0, "");
  expect(await turnsOf(ring, 1)).toEqual([["a", 1]]);
  await ring.turn([ended("a", { moment: 40 })], 0, "");
  expect(await turnsOf(ring)).toEqual([]);
  // News that is told late.
  await ring.tell([{ tenant: "b", is: "empty", moment: 60 }, ready("b", 50)]);
  expect(await turnsOf(ring, 1)).toEqual([["b", 1]]);
});

test("[Q1] turns for which a tenant had no job go back, and count for no other", async () => {
  const ring = open(new Map([["b", 2]]));
  await ring.writeWeights();
  await ring.tell([ready("a", 1), ready("b", 1)]);
  const { runs, before } = await ring.turn([], 6, "");
  expect(runs).toEqual([
    ["b", 1],
    ["a", 1],
    ["b", 2],
    ["a", 1],
    ["b", 1],
  ]);
  const of = (tenant: string) => before.get(tenant) ?? { turn: "", added: "0" };
  await ring.turn(
    [
      ended("a", { taken: 2, given: 1, before: of("a"), moment: 2, is: "ready" }),
      ended("b", { taken: 4, given: 0, before: of("b"), moment: 2 }),
    ],
    0,
    "",
  );
  // One that enters now is behind the last job that was given, and no further.
  await ring.tell([ready("c", 3), ready("b", 3)]);
  expect(
    await redis().client.zrange("jobwire:{:turns}:turns:article", "0", "-1", "WITHSCORES"),
  ).toEqual(["b", `${STEP + STEP / 2}`, "a", `${2 * STEP}`, "c", `${2 * STEP}`]);
});

test("a tenant whose node does not answer keeps no other waiting, and is asked again", async () => {
  const ring = open();
  await ring.tell([ready("gone", 1), ready("well", 1)]);
  await ring.turn([], 1, "");
  await ring.turn(
    [ended("gone", { is: "failed", taken: 1, before: { turn: `${STEP}`, added: "0" } })],
    0,
    "",
  );
  expect(await turnsOf(ring, 2)).toEqual([["well", 2]]);
  await redis().client.zincrby("jobwire:{:turns}:alarms", -10_000, "gone");
  expect(await ring.turn([], 1, "")).toMatchObject({ due: ["gone"], runs: [] });
});

test("an alarm is the earliest that was told, and is due once", async () => {
  const ring = open();
  const now = Date.now();
  await ring.tell([
    { tenant: "a", alarm: now - 1 },
    { tenant: "a", alarm: now + 60_000 },
    { tenant: "b", alarm: now + 60_000 },
  ]);
  expect((await ring.turn([], 1, "")).due).toEqual(["a"]);
  expect((await ring.turn([ended("a", { alarm: `${now + 60_000}` })], 1, "")).due).toEqual([]);
  expect(await redis().client.zcard("jobwire:{:turns}:alarms")).toBe(2);
});

test("[Q5] starts that were reserved and not used go back once, though their end is told twice", async () => {
  const ring = open();
  const limits = JSON.stringify({ sig: "", kinds: { [KIND]: [0, 60_000_000, 5] } });
  await ring.tell([ready("a", 1), ready("b", 1)]);
  const { op, reserved } = await ring.turn([], 4, limits);
  expect(reserved.map(([tenant, , count]) => [tenant, count])).toEqual([
    ["a", 2],
    ["b", 2],
  ]);
  const used = (of: string, count: number) => {
    const [, , , mark = 0] = reserved.find(([tenant]) => tenant === of) ?? [];
    return ended(of, { is: "ready", permits: [[KIND, 2, count, op, mark, []]] });
  };
  const told = [used("a", 1), used("b", 0)];
  for (let call = 0; call < 3; call += 1) await ring.turn(told, 0, limits);
  const left = (await ring.turn([], 9, limits)).reserved;
  expect(left.reduce((sum, [, , count]) => sum + count, 0)).toBe(4);
});
