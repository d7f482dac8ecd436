/** Each finding about a Redis, on real ones whose configuration is changed. */
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test, vi } from "vitest";
import type { Finding } from "#shared/finding.ts";
import { at, newJob } from "#test/engine/builders.ts";
import { freePort } from "#test/free-port.ts";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";
import { SCHEMA_VERSION } from "./connect.ts";
import { latencyOf } from "./examine-time.ts";
import { memoryOf, persistenceOf, versionOf } from "./examine-server.ts";
import { examineRedis } from "./examine.ts";
import { openRedisEngine } from "./open.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis(inject("redisServer"));
});
afterAll(() => redis.close());
beforeEach(() => redis.client.flushall());

async function examine(options: { url?: string; now?: () => Date } = {}) {
  const { url = redis.url, now = () => new Date() } = options;
  const findings = await examineRedis({ url, prefix: "jobwire" }, { now });
  return Object.fromEntries(findings.map((finding) => [finding.check, finding]));
}

async function configured(name: string, value: string): Promise<void> {
  const [, before = ""] = await redis.client.config("GET", name);
  await redis.client.config("SET", name, value);
  onTestFinished(async () => void (await redis.client.config("SET", name, before)));
}

const says = (verdict: Finding["verdict"], text: string) =>
  expect.objectContaining({ verdict, found: expect.stringContaining(text) as string }) as Finding;

test("a sound Redis has nothing to complain about, and nothing is written to it", async () => {
  const found = await examine();
  expect(Object.values(found).filter(({ verdict }) => verdict !== "ok")).toEqual([]);
  expect(found["redis persistence"]).toEqual(says("ok", "appendfsync is always"));
  expect(found["redis data"]).toEqual(says("ok", "none"));
  expect(await redis.client.dbsize()).toBe(0);
});

test.each([
  ["maxmemory-policy", "allkeys-lru", "redis memory", "fail", "would delete jobs"],
  ["appendonly", "no", "redis persistence", "warn", "appendonly is off"],
  ["appendfsync", "no", "redis persistence", "warn", "appendfsync is no"],
  ["appendfsync", "everysec", "redis persistence", "ok", "up to a second"],
] as const)("%s %s is told", async (name, value, check, verdict, text) => {
  await configured(name, value);
  const findings = await examineRedis(
    { url: redis.url, prefix: "jobwire" },
    { now: () => new Date() },
  );
  const own = findings.filter((finding) => finding.check === check);
  expect(own).toContainEqual(says(verdict, text));
});

test("a Redis without room is told before it refuses writes", async () => {
  await configured("maxmemory", "1mb");
  expect((await examine())["redis memory"]).toEqual(says("fail", "of 1 MiB"));
});

test("a replica is told", async () => {
  const port = await freePort();
  await redis.client.replicaof("127.0.0.1", port);
  onTestFinished(async () => void (await redis.client.replicaof("NO", "ONE")));
  expect((await examine())["redis role"]).toEqual(says("fail", "a replica"));
});

test("a Redis without CONFIG says what could be read, as managed ones do", async () => {
  await redis.client.acl("SETUSER", "managed", "on", ">secret", "~*", "&*", "+@all", "-config");
  onTestFinished(async () => void (await redis.client.acl("DELUSER", "managed")));
  const url = `redis://managed:secret@127.0.0.1:${redis.port}`;
  const found = await examine({ url });
  expect(found["redis persistence"]).toEqual(says("ok", "appendfsync could not be read"));
  expect(found["redis memory"]?.verdict).toBe("ok");
  expect(JSON.stringify(found)).not.toContain("secret");
});

test("a user without channels is told, and one without INFO leaves the rest to be read", async () => {
  await redis.client.acl("SETUSER", "mute", "on", ">secret", "~*", "resetchannels", "+@all");
  onTestFinished(async () => void (await redis.client.acl("DELUSER", "mute")));
  const url = `redis://mute:secret@127.0.0.1:${redis.port}`;
  expect((await examine({ url }))["redis channels"]).toEqual(says("fail", "may not publish"));
  await redis.client.acl("SETUSER", "mute", "-time");
  const found = await examine({ url });
  expect(found["redis clock"]).toEqual(says("skip", "could not be read"));
  expect(found["redis role"]?.verdict).toBe("ok");
});

test("a wrong password, and a port where nothing listens, are told without the password", async () => {
  const wrong = await examine({ url: `redis://stranger:hunter22@127.0.0.1:${redis.port}` });
  expect(wrong.redis?.verdict).toBe("fail");
  const absent = await examine({ url: `redis://:hunter22@127.0.0.1:${await freePort()}` });
  expect(absent.redis).toEqual(says("fail", "cannot be reached"));
  expect(JSON.stringify([wrong, absent])).not.toContain("hunter22");
});

test("a Redis that stands still ends the examination, and does not hold it up", async () => {
  redis.pause();
  onTestFinished(() => redis.resume());
  expect((await examine()).redis?.verdict).toBe("fail");
});

test.each([
  [2000, "warn", "2 s behind"],
  [60_000, "fail", "60 s behind"],
  [-60_000, "fail", "60 s ahead of"],
] as const)("a clock that differs by %i ms is told", async (ms, verdict, text) => {
  const found = await examine({ now: () => new Date(Date.now() + ms) });
  expect(found["redis clock"]).toEqual(says(verdict, text));
});

test("data of a newer version, of an older one, and of an import under way are told", async () => {
  const client = new Redis(redis.url);
  onTestFinished(() => client.disconnect());
  await client.set("jobwire:schema", SCHEMA_VERSION + 1);
  expect((await examine())["redis data"]).toEqual(says("fail", "newer version"));
  await client.set("jobwire:schema", SCHEMA_VERSION - 1);
  expect((await examine())["redis data"]).toEqual(says("warn", "upgrades them"));
  await client.set("jobwire:schema", SCHEMA_VERSION);
  expect((await examine())["redis data"]).toEqual(says("ok", "that of this program"));
  await client.set("jobwire:importing", "1");
  expect((await examine())["redis data"]).toEqual(says("fail", "import"));
});

test("[Q5] places of limits that no worker checks are told, with what gives them back", async () => {
  const { client } = redis;
  expect((await examine())["redis permits"]).toEqual(says("ok", "no kind has a limit"));
  const engine = await openRedisEngine({ url: redis.url, checkEveryMs: 3_600_000 });
  onTestFinished(() => engine.close());
  const limits = new Map([["mail", { concurrency: 2 }]]);
  const { id } = await engine.createJob(newJob({ kind: "mail" }), at(0));
  const claim = { worker: "w", max: 1, leaseMs: 60_000, now: new Date(), kinds: ["mail"], limits };
  await vi.waitFor(async () => expect(await engine.claim(claim)).toMatchObject([{ jobId: id }]));
  const permits = "jobwire:{:turns}:permits:mail";
  expect((await examine())["redis permits"]).toEqual(says("ok", "1 place of 1 limited kind"));

  // As if the worker had died minutes ago.
  const [member = ""] = await client.zrange(permits, "0", "-1");
  await client.zadd(permits, Date.now() - 61_000, member);
  expect((await examine())["redis permits"]).toEqual(says("warn", "(1 of mail)"));
  for (const kind of ["a", "b", "c"]) {
    await client.sadd("jobwire:{:turns}:counted", kind);
    await client.zadd(`jobwire:{:turns}:permits:${kind}`, 1, "job p acme");
  }
  expect((await examine())["redis permits"]).toEqual(
    says("warn", "(1 of a, 1 of b, 1 of c, 1 other kind)"),
  );
});

const PARTIAL = "--cluster-require-full-coverage no";

test("slots without a master are told, also of a cluster that serves the others", async () => {
  const bus = String(await freePort());
  const node = await startRedis(inject("redisServer"), {
    args: `--cluster-enabled yes --cluster-port ${bus} --cluster-announce-ip 127.0.0.1 ${PARTIAL}`.split(
      " ",
    ),
  });
  onTestFinished(() => node.close());
  const found = async () => (await examine({ url: node.url })).redis;
  await node.client.call("CLUSTER", "ADDSLOTSRANGE", 0, 16_380);
  await vi.waitFor(async () =>
    expect(await found()).toEqual(says("fail", "in which 3 slots of 16384 have no master")),
  );
  await node.client.call("CLUSTER", "ADDSLOTSRANGE", 16_381, 16_383);
  await vi.waitFor(async () => expect(await found()).toEqual(says("ok", "with 1 master")));
});

test("a server that is too old, loads, or could not write is told", () => {
  expect(versionOf("redis_version:6.2.14\r\n", 7).verdict).toBe("fail");
  expect(versionOf("redis_version:7.2.4\r\nvalkey_version:8.0.1\r\n", 7).found).toBe(
    "Valkey 8.0.1",
  );
  const info = "loading:1\r\naof_enabled:1\r\naof_last_write_status:err\r\n";
  expect(persistenceOf(info, "always").map(({ verdict }) => verdict)).toEqual([
    "fail",
    "fail",
    "ok",
  ]);
  expect(memoryOf("used_memory:80\r\nmaxmemory:100\r\n")).toEqual([says("warn", "80 %")]);
  expect(memoryOf("nothing:1\r\n")).toEqual([says("skip", "does not say")]);
});

test("a slow Redis is told", async () => {
  let clock = 0;
  const slow = { ping: async () => ((clock += 11), "PONG" as const) };
  expect(await latencyOf(slow as Redis, () => clock)).toEqual(
    says("warn", "11.0 ms in the middle"),
  );
});
