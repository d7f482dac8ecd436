import { expect, inject, onTestFinished, test, vi } from "vitest";
import { SESSION_KEPT_MS } from "#server/engine/session-limits.ts";
import { ANN } from "#test/engine/builders.ts";
import { openTestEngine } from "#test/redis/engine.fixture.ts";
import { openNetwork } from "#test/redis/network.fixture.ts";
import { startRedis } from "#test/redis/server.fixture.ts";

const HERS = { ...ANN, id: "a-session" };
const WHOLE = { entries: new Map([["a", 1]]), whole: true };

async function open() {
  const redis = await startRedis(inject("redisServer"));
  onTestFinished(() => redis.close());
  return redis;
}

test("all keys of sessions expire by themselves, however many sessions begin and end", async () => {
  const { client, url } = await open();
  const engine = await openTestEngine(url);
  for (const holder of ["one", "two", "three"]) {
    await engine.takeSession(HERS, holder);
    await engine.saveSession(HERS, holder, WHOLE);
    await engine.saveSession({ ...ANN, id: holder }, holder, WHOLE);
  }
  await engine.endSession(HERS, "three");
  const keys = await client.keys("*session*");
  expect(keys.toSorted()).toEqual([
    "jobwire:{acme}:session:ann:one",
    "jobwire:{acme}:session:ann:three",
    "jobwire:{acme}:session:ann:two",
    "jobwire:{acme}:sessions",
  ]);
  for (const key of keys) {
    const left = await client.pttl(key);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(SESSION_KEPT_MS);
  }
});

test("a session that is taken twice after a lost answer still names the previous holder", async () => {
  const redis = await open();
  const network = await openNetwork(redis.port);
  const [here, elsewhere] = [await openTestEngine(network.url), await openTestEngine(redis.url)];
  await here.saveSession(HERS, "one", WHOLE);
  network.loseAnswersTo("two");
  const taken = here.takeSession(HERS, "two");
  taken.catch(() => undefined);
  await vi.waitFor(
    async () => expect(await elsewhere.saveSession(HERS, "one", WHOLE)).toBe("taken"),
    { timeout: 4000, interval: 5 },
  );
  network.reset();
  expect(await taken).toEqual({ holder: "one", entries: new Map([["a", 1]]) });
});
