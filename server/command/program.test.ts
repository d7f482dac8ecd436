/** The verbs, in this process and without a server. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { createJobwireClient } from "#client/lib/client.ts";
import { createApp } from "#server/app.ts";
import { createApiKeys } from "#server/auth/api-keys.ts";
import { createTokenVerifier } from "#server/auth/token-verifier.ts";
import { hashOfTokenId } from "#server/auth/token-hash.ts";
import { loadConfig } from "#server/config.ts";
import { openEngine } from "#server/engine/index.ts";
import { MAX_PAGE_ITEMS } from "#shared/limits.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { ANN, newBatch, newJob, newSchedule } from "#test/engine/builders.ts";
import { auditOf } from "#test/engine/audit.ts";
import { waits } from "#test/jobs/waits.ts";
import { freePort } from "#test/free-port.ts";
import { startRedis } from "#test/redis/server.fixture.ts";
import { run as runIn } from "#test/command/run.ts";

const SECRET = "a secret of the tests that has 32 bytes";
const NOW = new Date("2026-01-01T12:00:00Z");
const ABSENT = "0198f1a2-0000-7000-8000-000000000000";
const CREATE = ["keys", "create", "--tenant", "acme", "--user", "reports", "--scope", "jobs:read"];

let data: TestData;
beforeEach(async () => {
  data = await newTestData();
});
afterEach(() => data.remove());

const run = (args: string[], { env = {}, isTTY = false, now = () => NOW } = {}) =>
  runIn(args, { env: { ...data.env, ...env }, isTTY, now });

const recordsOf = (out: string) =>
  out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("keys", () => {
  test("create prints the key alone for a pipe", async () => {
    const { code, out, err } = await run(CREATE);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^jw_[\w-]{43}\n$/);
  });

  test("create tells a person that this is the only time, and what the server still lacks", async () => {
    const { out } = await run(CREATE, { isTTY: true });
    expect(out).toMatch(
      /^jw_[\w-]{43}\n\nThis is the key \S+ of reports at acme\. It is shown once/,
    );
    expect(out).toContain("Set AUTH_API_KEYS=true.");
    const signedIn = await run(CREATE, { isTTY: true, env: { AUTH_API_KEYS: "true" } });
    expect(signedIn.out).not.toContain("AUTH_API_KEYS");
  });

  test("create with --json prints all of the record, once, and list the rest of its life", async () => {
    const more = ["--scope", "operator", "--label", "Nightly", "--expires", "1d", "--json"];
    const created = await run([...CREATE, ...more]);
    const [made] = recordsOf(created.out);
    expect(made).toEqual({
      key: expect.stringMatching(/^jw_/) as string,
      id: expect.any(String) as string,
      tenant: "acme",
      user: "reports",
      scopes: ["jobs:read", "operator"],
      label: "Nightly",
      createdAt: NOW.toISOString(),
      expiresAt: "2026-01-02T12:00:00.000Z",
      lastUsedAt: null,
      revokedAt: null,
    });
    const { key: _key, ...record } = made ?? {};
    expect(recordsOf((await run(["keys", "list", "--json"])).out)).toEqual([record]);
    const table = (await run(["keys", "list"])).out;
    expect(table.split("\n")[0]).toMatch(
      /^ID +TENANT +USER +SCOPES +STATE +CREATED +EXPIRES +USED +LABEL$/,
    );
    expect(table).toMatch(
      /acme +reports +jobs:read operator +valid +2026-01-01 12:00 +2026-01-02 12:00 +- +Nightly\n$/,
    );
    const later = await run(["keys", "list"], { now: () => new Date("2026-01-03") });
    expect(later.out).toContain(" expired ");
  });

  test("list has every key, more than a page of them, or those of a tenant", async () => {
    expect((await run(["keys", "list"])).out).toBe("There are no API keys.\n");
    const engine = await openEngine(data.config);
    const apiKeys = createApiKeys({
      store: engine.apiKeys,
      audit: auditOf(engine),
      now: () => NOW,
    });
    const request = {
      tenant: "acme",
      user: "x",
      scopes: ["jobs:read"],
      label: "",
      expiresAt: null,
    };
    await Promise.all(Array.from({ length: MAX_PAGE_ITEMS }, () => apiKeys.create(request)));
    await engine.close();
    await run(CREATE.with(3, "bakery"));
    const all = recordsOf((await run(["keys", "list", "--json"])).out);
    expect(new Set(all.map(({ id }) => id)).size).toBe(MAX_PAGE_ITEMS + 1);
    const [bakery, ...others] = recordsOf(
      (await run(["keys", "list", "--tenant", "bakery", "--json"])).out,
    );
    expect(others).toEqual([]);
    expect(bakery).toMatchObject({ tenant: "bakery" });
  });

  test("revoke ends a key, and says so again when it is repeated", async () => {
    await run(CREATE);
    const [record] = recordsOf((await run(["keys", "list", "--json"])).out);
    const id = String(record?.id);
    for (let n = 0; n < 2; n++) {
      expect(await run(["keys", "revoke", id])).toEqual({
        code: 0,
        out: `Revoked the key ${id} of reports at acme.\n`,
        err: "",
      });
    }
    expect((await run(["keys", "list"])).out).toContain(" revoked ");
    const [revoked] = recordsOf((await run(["keys", "revoke", id, "--json"])).out);
    expect(revoked).toEqual({ ...record, revokedAt: NOW.toISOString() });
  });

  test("a key without --tenant is of AUTH_DEFAULT_TENANT", async () => {
    const env = { AUTH_JWT_SECRET: SECRET, AUTH_DEFAULT_TENANT: "bakery" };
    const args = CREATE.filter((arg) => arg !== "--tenant" && arg !== "acme");
    const [made] = recordsOf((await run([...args, "--json"], { env })).out);
    expect(made).toMatchObject({ tenant: "bakery" });
  });
});

const revokedReports = (keys: string) => ({
  code: 0,
  out: `Revoked reports of acme: all tokens that were issued before 2026-01-01T12:00:01.000Z, ${keys} and 0 sign-ins.\n`,
  err: "",
});

describe("revoke", () => {
  const REVOKE = ["revoke", "--tenant", "acme"];

  test("of a user ends keys and tokens, and says so again when it is repeated", async () => {
    await run(CREATE);
    await run(CREATE.with(5, "bob"));
    expect(await run([...REVOKE, "--user", "reports"])).toEqual(revokedReports("1 API key"));
    expect(await run([...REVOKE, "--user", "reports"])).toEqual(revokedReports("0 API keys"));
    const listed = recordsOf((await run(["keys", "list", "--json"])).out);
    expect(listed.map(({ user, revokedAt }) => [user, revokedAt])).toEqual([
      ["bob", null],
      ["reports", NOW.toISOString()],
    ]);
    const { out } = await run([...REVOKE, "--user", "ann", "--json"]);
    expect(recordsOf(out)).toEqual([
      {
        tenant: "acme",
        user: "ann",
        before: "2026-01-01T12:00:01.000Z",
        apiKeys: 0,
        signIns: 0,
      },
    ]);
  });

  test("[K12] of a user pauses no schedules, and says which go on", async () => {
    const engine = await openEngine(data.config);
    const [active, paused] = [newSchedule(), newSchedule({ pausedAt: NOW })];
    for (const each of [
      active,
      paused,
      newSchedule({ nextAt: null }),
      newSchedule({ owner: "bob" }),
    ]) {
      await engine.schedules.create(each);
    }
    await engine.close();
    const { out } = await run([...REVOKE, "--user", "ann"]);
    expect(out.split("\n")[1]).toBe(
      "1 schedule of this user still creates jobs: see `jobwire schedule list` with --tenant acme --user ann, and pause or delete them.",
    );
    const list = await run(["schedule", "list", "--tenant", "acme", "--user", "ann", "--json"]);
    expect(recordsOf(list.out).find(({ id }) => id === active.id)).toMatchObject({
      pausedAt: null,
    });
    expect((await run([...REVOKE, "--user", "nobody"])).out.trim()).not.toContain("\n");
  });

  test("of a token stores its id until it has expired, a day at least, or for 400 days", async () => {
    expect(await run([...REVOKE, "--token-id", "t 7"])).toEqual({
      code: 0,
      out: "Revoked the token t 7 of acme.\n",
      err: "",
    });
    const keptUntil = async (...more: string[]) =>
      recordsOf((await run([...REVOKE, "--token-id", "t", "--json", ...more])).out)[0]?.keptUntil;
    expect(await keptUntil()).toBe("2027-02-05T12:01:00.000Z");
    expect(await keptUntil("--expires", "3d")).toBe("2026-01-04T12:01:00.000Z");
    expect(await keptUntil("--expires", "1h")).toBe("2026-01-02T12:01:00.000Z");
    const engine = await openEngine(data.config);
    const question = { tenant: "acme", user: "x", tokenHash: hashOfTokenId("t 7") };
    expect(await engine.revocations.find([question])).toEqual([
      { isTokenRevoked: true, before: 0 },
    ]);
    await engine.close();
    expect(await run([...REVOKE, "--token-id", "t", "--expires", "2025-12-31"])).toEqual({
      code: 1,
      out: "",
      err: "error: The token has expired already: 2025-12-31T00:00:00.000Z has passed.\n",
    });
  });
});

describe("assign", () => {
  const ASSIGN = ["assign", "--tenant", "local", "--user", "ann"];
  const OWNER = { tenant: "local", owner: "local" };

  test("gives all jobs and batches of a server without sign-in to a user", async () => {
    const engine = await openEngine(loadConfig(data.env));
    const { batch, jobs } = newBatch(600, OWNER);
    await engine.createBatch(batch, jobs, NOW);
    await engine.createJob(newJob(OWNER), NOW);
    const others = await engine.createJob(newJob(), NOW);
    await engine.close();

    const said = "Gave 602 jobs and batches that were created without sign-in to ann of local.\n";
    expect(await run(ASSIGN)).toEqual({ code: 0, out: said, err: "" });
    const none = "There are no jobs and schedules that were created without sign-in.\n";
    expect(await run(ASSIGN)).toEqual({ code: 0, out: none, err: "" });
    expect(JSON.parse((await run([...ASSIGN, "--json"])).out)).toEqual({
      tenant: "local",
      user: "ann",
      moved: 0,
      unsettled: { count: 0, some: [] },
      schedules: { moved: 0, left: [] },
    });

    const audit = JSON.parse(
      (await run(["audit", "--tenant", "local", "--json"])).out.split("\n")[0] ?? "",
    ) as object;
    expect(audit).toMatchObject({
      action: "user.assign",
      target: "ann",
      actor: { via: "command" },
    });

    const again = await openEngine(loadConfig(data.env));
    const { items } = await again.listJobs({ tenant: "local", owner: "ann", limit: 1000 });
    expect(items).toHaveLength(601);
    expect((await again.getBatch(batch.id))?.owner).toBe("ann");
    expect(await again.getSummary(others.id)).toMatchObject(ANN);
    await again.close();
  });

  test("with Redis, gives jobs to another tenant once they have settled, and names the others", async () => {
    const redis = await startRedis(inject("redisServer"));
    onTestFinished(() => redis.close());
    const env = { REDIS_URL: redis.url };
    const engine = await openEngine(loadConfig({ ...data.env, ...env }));
    onTestFinished(() => engine.close());
    const [settled, waiting] = [newJob(OWNER), newJob(OWNER)];
    for (const job of [settled, waiting]) await engine.createJob(job, NOW);
    await engine.change(settled.id, { action: "cancel" }, NOW);

    const assign = ["assign", "--tenant", "acme", "--user", "ann"];
    const refused = `1 job was not given: with Redis, jobs go to another tenant once they, and all others of their batches, have settled. Not settled: ${waiting.id}. Run the command again then.`;
    expect(await run(assign, { env })).toEqual({
      code: 1,
      out: "Gave 1 job or batch that was created without sign-in to ann of acme.\n",
      err: `error: ${refused}\n`,
    });
    expect(await engine.getSummary(settled.id)).toMatchObject(ANN);
    const json = await run([...assign, "--json"], { env });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toEqual({
      tenant: "acme",
      user: "ann",
      moved: 0,
      unsettled: { count: 1, some: [waiting.id] },
      schedules: { moved: 0, left: [] },
    });
    expect(await run(assign, { env })).toMatchObject({ code: 1, out: "" });
    await engine.change(waiting.id, { action: "cancel" }, NOW);
    expect(await run(assign, { env })).toMatchObject({ code: 0, err: "" });
    expect(await engine.getSummary(waiting.id)).toMatchObject(ANN);
    const audit = await engine.audit.list({ tenant: "acme", limit: 9 });
    expect(audit.items.map(({ action }) => action)).toEqual(["user.assign", "user.assign"]);
  });

  test("[K12] gives schedules, but for declared ones, and names those that it leaves", async () => {
    const engine = await openEngine(loadConfig(data.env));
    const [free, taken] = [newSchedule(OWNER), newSchedule({ ...OWNER, key: "night\u0007ly" })];
    const declared = newSchedule({ ...OWNER, declared: true });
    const anns = newSchedule({ tenant: "local", key: taken.key });
    for (const each of [free, taken, declared, anns]) await engine.schedules.create(each);
    await engine.close();
    const left = `The schedule "night\\u0007ly" (${taken.id}) was not given: ann has one of this name. Delete one of the two.`;
    expect(await run(ASSIGN)).toEqual({
      code: 1,
      out: "Gave 1 schedule that was created without sign-in to ann of local.\n",
      err: `error: ${left}\n`,
    });
    expect(await run(ASSIGN)).toMatchObject({ code: 1, out: "" });
    expect((await run(["schedule", "delete", anns.id])).code).toBe(0);
    expect(await run(ASSIGN)).toMatchObject({ code: 0, err: "" });
    const rows = async (...user: string[]) =>
      recordsOf((await run(["schedule", "list", "--json", ...user])).out).map(({ id }) => id);
    // Newest first, where they were.
    expect(await rows("--tenant", "local", "--user", "ann")).toEqual([taken.id, free.id]);
    expect(await rows("--tenant", "local", "--user", "local")).toEqual([declared.id]);
    expect(await run(["schedule", "list", "--user", "ann"])).toMatchObject({ code: 2 });
  });

  test("names what is wrong with its arguments", async () => {
    const noTenant = await run(["assign", "--user", "ann"]);
    expect(noTenant).toMatchObject({ code: 2, err: expect.stringContaining("--tenant") as string });
    expect(await run(["assign", "--tenant", "local"])).toMatchObject({ code: 2 });
    const empty = await run(["assign", "--tenant", "local", "--user", ""]);
    expect(empty).toMatchObject({ code: 2, err: expect.stringContaining("user") as string });
    const same = await run(["assign", "--tenant", "local", "--user", "local"]);
    expect(same).toMatchObject({ code: 1, err: expect.stringContaining("already") as string });
  });
});

test("users prints who has something, and who was revoked", async () => {
  expect((await run(["users"])).out).toBe("There are no users.\n");
  await run(CREATE);
  await run(CREATE.with(3, "bakery"));
  await run(["revoke", "--tenant", "acme", "--user", "ann\nx"]);
  const { out } = await run(["users"]);
  expect(out.split("\n")).toEqual([
    "TENANT  USER      JOBS  KEYS  SIGN-INS  REVOKED",
    'acme    "ann\\nx"  0     0     0         2026-01-01 12:00',
    "acme    reports   0     1     0         -",
    "bakery  reports   0     1     0         -",
    "",
  ]);
  const ofBakery = await run(["users", "--tenant", "bakery", "--json"]);
  expect(recordsOf(ofBakery.out)).toEqual([
    { tenant: "bakery", user: "reports", jobs: 0, apiKeys: 1, signIns: 0, revokedBefore: null },
  ]);
});

describe("a token", () => {
  const TOKEN = ["token", "--sub", "ann", "--tenant", "acme", "--scope", "jobs:read", "jobs:write"];

  test("is one that the server accepts", async () => {
    const env = {
      AUTH_JWT_SECRET: SECRET,
      AUTH_ISSUER: "https://id.example.com",
      AUTH_AUDIENCE: "jobwire",
      AUTH_TENANT_CLAIM: "org",
    };
    const now = new Date();
    const { code, out } = await run([...TOKEN, "--ttl", "15m"], { env, now: () => now });
    expect(code).toBe(0);
    const verified = await createTokenVerifier(loadConfig(env))(out.trim());
    const seconds = Math.floor(now.getTime() / 1000);
    expect(verified).toEqual({
      principal: { userId: "ann", tenantId: "acme", scopes: ["jobs:read", "jobs:write"] },
      issuedAt: seconds * 1000,
      // Clocks may differ by five seconds.
      expiresAt: (seconds + 905) * 1000,
      id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
    });
  });

  test("lasts an hour by default, and --json says until when", async () => {
    const { out } = await run([...TOKEN, "--json"], { env: { AUTH_JWT_SECRET: SECRET } });
    expect(recordsOf(out)).toEqual([
      { token: expect.any(String) as string, expiresAt: "2026-01-01T13:00:00.000Z" },
    ]);
  });

  test("needs the secret of the server", async () => {
    expect(await run(TOKEN)).toEqual({
      code: 1,
      out: "",
      err: expect.stringMatching(/^error: AUTH_JWT_SECRET is not set\..*\n$/) as string,
    });
  });
});

describe("arguments that are wrong exit with 2, with one line that names the fault", () => {
  test.each<[string[], string]>([
    [["keys", "create", "--tenant", "acme", "--user", "x"], "required option '--scope"],
    [["keys", "create", "--tenant", "acme", "--scope", "jobs:read"], "required option '--user"],
    [["keys", "create", "--user", "x", "--scope", "jobs:read"], "--tenant: name the tenant"],
    [[...CREATE, "jobs:raed"], '--scope: "jobs:raed" is no scope. There are jobs:read, '],
    [[...CREATE, "*"], '--scope: "*" is no scope.'],
    [[...CREATE.slice(0, -1), ","], "--scope: needs one scope at least"],
    [[...CREATE, "--label", "a\nb"], "--label: must be one line"],
    [[...CREATE, "--label", "x".repeat(101)], "--label: "],
    [[...CREATE, "--expires", "soon"], "--expires must be a duration"],
    [[...CREATE, "--frob"], "unknown option '--frob'"],
    [["keys", "revoke"], "missing required argument 'id'"],
    [["keys", "revoke", "7"], "A key is revoked by its id"],
    [["keys", "frob"], "unknown command 'frob'"],
    [["revoke", "--tenant", "acme"], "either --user or --token-id"],
    [["revoke", "--tenant", "acme", "--user", "a", "--token-id", "b"], "either --user or --token"],
    [["revoke", "--user", "ann"], "--tenant: name the tenant"],
    [["revoke", "--tenant", "acme", "--user", ""], "--user: "],
    [["revoke", "--tenant", "acme", "--token-id", ""], "--token-id: "],
    [["revoke", "--tenant", "acme", "--user", "a", "--expires", "1h"], "--expires belongs to"],
    [["revoke", "--tenant", "", "--user", "a"], "--tenant: "],
    [["frob"], "unknown command 'frob'"],
    [
      ["token", "--sub", "ann", "--tenant", "acme", "--scope", "operator"],
      'no token grants "operator"',
    ],
    [["token", "--sub", "", "--tenant", "acme", "--scope", "admin"], "--sub: "],
    [["token", "--sub", "a", "--tenant", "b", "--scope", "admin", "--ttl", "1w"], "--ttl must be"],
  ])("%j", async (args, message) => {
    const { code, out, err } = await run(args, { env: { AUTH_JWT_SECRET: SECRET } });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(`error: `);
    expect(err).toContain(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });

  test("no verb prints the help", async () => {
    for (const args of [[], ["keys"]]) {
      const { code, err } = await run(args);
      expect(code).toBe(2);
      expect(err).toContain("Usage: jobwire");
    }
    expect(await run(["keys", "create", "--help"])).toMatchObject({
      code: 0,
      out: expect.stringContaining("--expires") as string,
    });
  });
});

describe("failures exit with 1 and say what to do, without a stack", () => {
  test("a key that does not exist", async () => {
    expect(await run(["keys", "revoke", ABSENT])).toEqual({
      code: 1,
      out: "",
      err: `error: There is no API key ${ABSENT}.\n`,
    });
  });

  test("a key that would be expired", async () => {
    const { code, err } = await run([...CREATE, "--expires", "2020-01-01"]);
    expect({ code, err }).toEqual({
      code: 1,
      err: "error: The key would be expired: 2020-01-01T00:00:00.000Z has passed.\n",
    });
  });

  test("a configuration that the server would not start with", async () => {
    const { code, err } = await run(CREATE, { env: { PORT: "many" } });
    expect(code).toBe(1);
    expect(err).toContain('PORT="many" must be a whole number');
  });

  test("data that are no data", async () => {
    const file = join(data.env.DATA_DIR, "file");
    await writeFile(file, "");
    const { code, out, err } = await run(["keys", "list"], { env: { DATA_DIR: file } });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^error: .*Set DATA_DIR to a directory that this user may write\.\n$/);
  });
});

test("a bad variable of the application stops no command: a key may have to be revoked meanwhile", async () => {
  const env = { FETCH_ALLOW: "http://intranet", OFFLINE_PACE_MS: "x", OPENAI_APIKEY: "x" };
  expect(await run(["keys", "list"], { env })).toMatchObject({ code: 0, err: "" });
});

describe("audit", () => {
  test("[P17] prints who made and revoked keys, newest first, and not who revoked one again", async () => {
    await run(CREATE);
    const [record] = recordsOf((await run(["keys", "list", "--json"])).out);
    const id = String(record?.id);
    const later = { now: () => new Date("2026-01-02T03:04:05Z") };
    await run(["keys", "revoke", id], later);
    await run(["keys", "revoke", id]);
    await run(CREATE.with(3, "bakery"));
    const { out } = await run(["audit", "--tenant", "acme"]);
    expect(out.split("\n")).toEqual([
      expect.stringMatching(/^TIME +USER +VIA +ACTION +TARGET +CREDENTIAL$/),
      expect.stringMatching(RegExp(`^2026-01-02 03:04:05 +- +command +key.revoke +${id} +-$`)),
      expect.stringMatching(RegExp(`^2026-01-01 12:00:00 +- +command +key.create +${id} +-$`)),
      "",
    ]);
    const only = ["--action", "key.create", "--json"];
    expect(recordsOf((await run(["audit", "--tenant", "acme", ...only])).out)).toEqual([
      {
        id: expect.any(String) as string,
        at: NOW.toISOString(),
        action: "key.create",
        target: id,
        actor: { user: "", via: "command", credential: null },
      },
    ]);
    expect((await run(["audit", "--tenant", "nowhere"])).out).toBe("There are no entries.\n");
  });

  test("prints as many entries as it is asked for, and no control characters", async () => {
    const engine = await openEngine(data.config);
    const actor = { user: "a\u001B[31mb\u202Ec", via: "token", credential: null } as const;
    const record = (target: string) =>
      auditOf(engine).record("acme", { action: "job.create", target, actor });
    for (let n = 0; n < MAX_PAGE_ITEMS + 1; n++) await record(`${n}`);
    await engine.close();
    const count = async (...args: string[]) =>
      recordsOf((await run(["audit", "--tenant", "acme", "--json", ...args])).out).length;
    expect(await count()).toBe(50);
    expect(await count("--limit", "7")).toBe(7);
    expect(await count("--limit", "999999")).toBe(MAX_PAGE_ITEMS + 1);
    expect(await count("--user", actor.user, "--limit", "60")).toBe(60);
    const { out } = await run(["audit", "--tenant", "acme", "--limit", "1"]);
    expect(out).toContain(" a\uFFFD[31mb\uFFFDc ");
  });

  test.each([
    [["audit"], "name the tenant"],
    [["audit", "--tenant", "acme", "--limit", "0"], "--limit"],
    [["audit", "--tenant", "acme", "--action", "job.delete"], "job.approve"],
  ])("%j is wrong usage", async (args, message) => {
    const { code, err } = await run(args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe("[K8] schedule", () => {
  test("lists all schedules, and pauses, resumes, fires and deletes one by its id, each with an audit entry", async () => {
    expect((await run(["schedule", "list"])).out).toBe("There are no schedules.\n");
    const engine = await openEngine(data.config);
    const schedule = newSchedule({
      key: "night\u0007ly",
      priority: 3,
      expiresInMs: 60_000,
      nextAt: new Date("2027-01-31T03:00:00Z"),
    });
    await engine.schedules.create(schedule);
    await engine.schedules.create(newSchedule({ tenant: "bakery" }));
    await engine.close();
    const { id } = schedule;
    const table = (await run(["schedule", "list", "--tenant", "acme"])).out;
    expect(table).toMatch(/^ID +TENANT +USER +KEY +KIND +WHEN +OPTIONS +NEXT +LAST +STATE\n/);
    expect(table).toContain("  priority=3 expires-ms=60000  2027-01-31 03:00  -     active");
    expect((await run(["schedule", "list"])).out).toMatch(/Stockholm +- +\S+ \S+ +- +active/);
    expect(table.trim().split("\n")).toHaveLength(2);
    expect(recordsOf((await run(["schedule", "list", "--json"])).out)).toHaveLength(2);

    const paused = await run(["schedule", "pause", id]);
    expect(paused.out).toBe('Paused the schedule "night\\u0007ly" of ann at acme.\n');
    expect((await run(["schedule", "list"])).out).toMatch(/ - +- +paused\n/);
    const [resumed] = recordsOf((await run(["schedule", "resume", id, "--json"])).out);
    expect(resumed).toMatchObject({ id, pausedAt: null });
    const [asked] = recordsOf((await run(["schedule", "trigger", id, "--json"])).out);
    expect(asked).toMatchObject({ requestedAt: NOW.toISOString() });
    expect((await run(["schedule", "delete", id])).out).toContain("Deleted the schedule");
    const gone = await run(["schedule", "pause", id]);
    expect(gone).toMatchObject({ code: 1, err: `error: Schedule ${id} does not exist.\n` });
    const actions = recordsOf((await run(["audit", "--tenant", "acme", "--json"])).out);
    expect(actions.map(({ action, target }) => [action, target === id])).toEqual(
      ["delete", "trigger", "resume", "pause"].map((verb) => [`schedule.${verb}`, true]),
    );
  });

  test.each([
    [["schedule", "pause", "nightly"], "jobwire schedule list"],
    [["schedule", "pause"], "missing required argument"],
    [["schedule", "fire", ABSENT], "unknown command"],
  ])("%j is wrong usage", async (args, message) => {
    const { code, err } = await run(args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe("doctor", () => {
  test("prints a line for each finding, and ends with 0 unless something fails", async () => {
    const { code, out, err } = await run(["doctor"], { env: { PORT: "0" } });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^ok    node: \d+\.\d+\.\d+\n/);
    expect(out).toMatch(/\n\d+ ok.*\.\n$/);
    const failing = await run(["doctor"], { env: { PORT: "eighty" } });
    expect(failing).toMatchObject({ code: 1, err: "" });
    expect(failing.out).toContain("fail  configuration: PORT");
    expect(failing.out).toContain("See docs/configuration.md#configuration.");
  });

  test("prints each finding as a line of JSON, and nothing else", async () => {
    const { code, out } = await run(["doctor", "--json"], { env: { PORT: "eighty" } });
    expect(code).toBe(1);
    expect(recordsOf(out)).toContainEqual(
      expect.objectContaining({
        check: "configuration",
        verdict: "fail",
        doc: "docs/configuration.md#configuration",
      }),
    );
  });

  test("of an address where nothing listens fails, and sends no token there", async () => {
    const address = `http://127.0.0.1:${await freePort()}/path`;
    const { code, out } = await run(["doctor", address, "--idle", "1"], {
      env: { JOBWIRE_TOKEN: "secret-token" },
    });
    expect(code).toBe(1);
    expect(out).toMatch(/^fail  address: .*ECONNREFUSED/);
    expect(out).not.toContain("secret-token");
  });

  test.each([
    [["doctor", "jobs.example.com"], "is no address of http or https"],
    [["doctor", "ftp://jobs.example.com"], "is no address of http or https"],
    [["doctor", "https://ann:pass@jobs.example.com"], "holds a user or password"],
    [["doctor", "https://jobs.example.com/?x"], "without what follows"],
    [["doctor", "http://localhost", "--idle", "-1"], "--idle"],
    [["doctor", "http://localhost", "--idle", "3601"], "--idle"],
    [["doctor", "http://localhost", "--origin", "https://a.example.com/x"], "--origin"],
    [["doctor", "https://localhost", "--ca", "/none.pem"], "--ca"],
    [["doctor", "--origin", "https://a.example.com"], "belongs to the address of a server"],
  ])("%j is wrong usage", async (args, message) => {
    const { code, out, err } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
    expect(err).not.toContain("ann:pass");
  });
});

describe("workers and pauses", () => {
  test("without a server there are no workers, and what is paused holds for the next one", async () => {
    expect((await run(["workers"])).out).toBe("There are no workers.\n");
    expect(await run(["workers", "drain", "none"])).toMatchObject({
      code: 1,
      err: 'error: There is no worker "none".\n',
    });
    expect((await run(["pauses"])).out).toBe("Nothing is paused.\n");
    const set = await run(["pause", "--note", "Moving\u001B[2J"]);
    expect(set.out).toBe("Paused: everything, since 2026-01-01 12:00. Jobs that run go on.\n");
    await run(["pause", "--tenant", "acme"]);
    expect((await run(["pauses"])).out).toMatch(
      /^PAUSED +SINCE .*\neverything +2026-01-01 12:00 +- +command +Moving\uFFFD\[2J\nthe tenant "acme" /,
    );
    const [first] = recordsOf((await run(["pauses", "--json"])).out);
    expect(first).toMatchObject({ note: "Moving\u001B[2J", by: { user: "", via: "command" } });
    expect((await run(["resume"])).out).toBe("Resumed: everything. Jobs start.\n");
    expect(await run(["resume"])).toMatchObject({
      code: 1,
      err: "error: There is no pause of everything.\n",
    });
    expect((await run(["pause", "--kind", "mail", "--tenant", "acme"])).out).toBe(
      'Paused: the kind "mail" of the tenant "acme", since 2026-01-01 12:00. Jobs that run go on.\n',
    );
    expect((await run(["resume", "--kind", "mail"])).err).toBe(
      'error: There is no pause of the kind "mail".\n',
    );
    expect((await run(["resume", "--kind", "mail", "--tenant", "acme"])).code).toBe(0);
    expect(await run(["pause", "--tenant", ""])).toMatchObject({ code: 2 });
    expect(await run(["pause", "--kind", ""])).toMatchObject({ code: 2 });
    expect(await run(["pause", "--note", "x".repeat(501)])).toMatchObject({ code: 2 });
    expect((await run(["audit", "--instance", "--json"])).out.match(/pause\.\w+/g)).toEqual([
      "pause.remove",
      "pause.set",
    ]);
    expect((await run(["audit", "--tenant", "acme"])).out).toContain('the tenant "acme"');
  });

  test("a worker of a running server is listed, drained by its name, waited for, and resumed", async () => {
    const settings = { PORT: "0", LOG_LEVEL: "silent", SHUTDOWN_GRACE_MS: "0", NODE_NAME: "here" };
    const app = await createApp(loadConfig({ ...data.env, ...settings }), { kinds: [waits] });
    onTestFinished(async () => void (await app.close()));
    const client = createJobwireClient({ url: app.url });
    onTestFinished(client.close);
    const { id: jobId } = await client.trpc.job.create.mutate({ kind: "waits", input: {} });
    await vi.waitFor(async () => {
      expect((await run(["workers"])).out).toMatch(/ here .* running +1\/10 .* waits\n$/);
    });
    const [worker] = recordsOf((await run(["workers", "--json"])).out);
    expect(worker?.jobs).toMatchObject([{ id: jobId, kind: "waits", tenant: "local" }]);
    const first = await run(["workers", "drain", "here"]);
    expect(first.out).toContain("starts no more jobs. It still has 1.");
    const waited = run(["workers", "drain", "here", "--wait", "--json"]);
    await client.trpc.job.cancel.mutate({ jobId });
    expect(recordsOf((await waited).out)).toMatchObject([{ state: "drained", running: 0 }]);
    const resumed = await run(["workers", "resume", String(worker?.id)]);
    expect(resumed.out).toContain("starts jobs again");
    const again = run(["workers", "drain", "here", "--wait"]);
    expect((await again).out).toContain("is drained: it has no more jobs.");
  });
});
