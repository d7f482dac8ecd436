/** Subscriptions begin and end within one tick, break, and are refused: in the end Redis has exactly the wanted ones. */
import { afterEach, beforeEach, expect, inject, test, vi } from "vitest";
import { nodesOf } from "./client.ts";
import { openSubscriber, type Subscriber } from "./subscriber.ts";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";

const PATIENCE = { timeout: 120_000, interval: 10 };
const channelOf = (n: number, tenant = "acme") => `{${tenant}}:${n}`;

let redis: TestRedis;
const messages: string[] = [];
const back: string[] = [];
const opened: Subscriber[] = [];
beforeEach(async () => {
  redis = await startRedis(inject("redisServer"));
  messages.length = 0;
  back.length = 0;
});
afterEach(async () => {
  for (const each of opened.splice(0)) each.close();
  await redis.close();
});

function open(url = redis.url): Subscriber {
  const subscriber = openSubscriber(nodesOf(url, redis.client), {
    message: (channel, text) => void messages.push(`${channel} ${text}`),
    back: (channel) => void back.push(channel),
  });
  opened.push(subscriber);
  return subscriber;
}

/** The test decides when answers to `ssubscribe` arrive. */
function openWithAnswersHeld() {
  const held: (() => void)[] = [];
  const nodes = nodesOf(redis.url, redis.client);
  const subscriber = openSubscriber(
    {
      ...nodes,
      open(address) {
        const connection = nodes.open(address);
        const ssubscribe = connection.ssubscribe.bind(connection);
        connection.ssubscribe = async (...channels: unknown[]) => {
          const answer = await ssubscribe(...(channels as string[]));
          await new Promise<void>((resolve) => held.push(resolve));
          return answer;
        };
        return connection;
      },
    },
    { message() {}, back() {} },
  );
  opened.push(subscriber);
  return {
    subscriber,
    /** Resolves when this many answers wait. */
    holds: (count: number) => vi.waitFor(() => expect(held).toHaveLength(count), PATIENCE),
    /** Delivers the oldest answer. */
    async release() {
      held.shift()?.();
      await Promise.resolve().then(() => undefined);
    },
  };
}

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function subscribed(): Promise<unknown[]> {
  const channels = (await redis.client.pubsub("SHARDCHANNELS")) as string[];
  return channels.toSorted();
}

test("[S6] after subscriptions and cancellations at any moment, exactly the wanted channels are subscribed", async () => {
  const subscriber = open();
  const wanted = new Set<string>();
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed % below;
  };
  const asked: Promise<void>[] = [];
  for (let step = 0; step < 3000; step += 1) {
    const channel = channelOf(random(3), `tenant-${random(4)}`);
    if (wanted.delete(channel)) subscriber.unsubscribe(channel);
    else {
      wanted.add(channel);
      asked.push(subscriber.subscribe(channel));
    }
    // Some steps fall into the same tick, some before an answer, some after one.
    if (random(5) === 0) await tick();
    if (random(40) === 0) await redis.client.ping();
    if (random(500) === 0) await redis.client.call("CLIENT", "KILL", "TYPE", "pubsub");
  }
  const expected = [...wanted].toSorted();
  await vi.waitFor(async () => expect(await subscribed()).toEqual(expected), PATIENCE);
  // Redis knows of a subscription before its client does.
  await vi.waitFor(async () => {
    for (const channel of expected) await redis.client.spublish(channel, "x");
    expect([...new Set(messages)].toSorted()).toEqual(expected.map((channel) => `${channel} x`));
  }, PATIENCE);
  for (const channel of expected) subscriber.unsubscribe(channel);
  await vi.waitFor(async () => expect(await subscribed()).toEqual([]), PATIENCE);
  expect(asked.length).toBeGreaterThan(1000);
});

test("[S6] an answer to an old subscription does not count for a new one", async () => {
  const { subscriber, holds, release } = openWithAnswersHeld();
  const channel = channelOf(1);
  for (let asked = 1; asked <= 2; asked += 1) {
    if (asked > 1) subscriber.unsubscribe(channel);
    void subscriber.subscribe(channel);
    await holds(asked);
  }
  await release();
  await tick();
  subscriber.unsubscribe(channel);
  const again = subscriber.subscribe(channel);
  await release();
  await holds(1);
  await release();
  await again;
  await expect(subscribed()).resolves.toEqual([channel]);
});

test("[S6] a tenant's only channel that is left and wanted again during the request stays subscribed", async () => {
  const subscriber = open();
  redis.pause();
  for (let round = 0; round < 20; round += 1) {
    const channel = channelOf(1, `tenant-${round}`);
    void subscriber.subscribe(channel);
    await tick();
    subscriber.unsubscribe(channel);
    await tick();
  }
  const channels = Array.from({ length: 20 }, (_, round) => channelOf(1, `tenant-${round}`));
  const again = channels.map((channel) => subscriber.subscribe(channel));
  redis.resume();
  await Promise.all(again);
  await subscriber.subscribe(channelOf(1));
  await expect(subscribed()).resolves.toEqual([...channels, channelOf(1)].toSorted());
});

test("[S6] a broken connection is replaced, and its subscribers are notified", async () => {
  const subscriber = open();
  const channels = [channelOf(1), channelOf(2), channelOf(3, "other")];
  await Promise.all(channels.map((channel) => subscriber.subscribe(channel)));
  expect(back).toEqual([]);
  await redis.client.call("CLIENT", "KILL", "TYPE", "pubsub");
  await vi.waitFor(() => expect(back.toSorted()).toEqual(channels), PATIENCE);
  await redis.kill();
  const late = subscriber.subscribe(channelOf(4));
  await redis.start();
  await late;
  await vi.waitFor(async () => {
    expect(await subscribed()).toEqual([...channels, channelOf(4)].toSorted());
  }, PATIENCE);
});

test("a subscription that Redis refuses rejects for its caller, and does not affect others", async () => {
  await redis.client.acl("SETUSER", "half", "on", ">secret", "+@all", "~*", "&{acme}:*");
  const subscriber = open(redis.url.replace("//", "//half:secret@"));
  await subscriber.subscribe(channelOf(1));
  await expect(subscriber.subscribe(channelOf(1, "other"))).rejects.toThrow(/NOPERM/);
  await redis.client.spublish(channelOf(1), "x");
  await vi.waitFor(() => expect(messages).toEqual([`${channelOf(1)} x`]), PATIENCE);
  await subscriber.subscribe(channelOf(2));
  expect(back).toEqual([]);
});

test("subscriptions that wait for Redis reject when the server stops", async () => {
  const subscriber = open();
  await redis.kill();
  const waiting = subscriber.subscribe(channelOf(1));
  subscriber.close();
  await expect(waiting).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await expect(subscriber.subscribe(channelOf(2))).rejects.toMatchObject({ code: "UNAVAILABLE" });
});
