/** The verbs that are clients of a server, with a real one. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { blocked, defineKind, Failure } from "#server/kinds/define.ts";
import { run as runIn } from "#test/command/run.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { killOnExit } from "#test/kill-on-exit.ts";
import { freePort } from "#test/free-port.ts";

const log = pino({ level: "silent" });
const ABSENT = "0198f1a2-0000-7000-8000-000000000000";

/** Lets the jobs go on that wait for it. */
let gate = Promise.withResolvers<void>();
beforeEach(() => {
  gate = Promise.withResolvers<void>();
});

const ends = defineKind({
  name: "ends",
  description: "Ends as its input says",
  input: z.object({
    how: z.enum(["delivered", "blocked", "failed"]).default("delivered"),
    size: z.int().max(100).optional(),
    tags: z.array(z.string()).optional(),
    at: z.object({ city: z.string(), zip: z.int().optional() }).optional(),
    wait: z.boolean().optional(),
  }),
  output: z.unknown(),
  title: ({ how }) => `Ends ${how}`,
  async run({ input, progress }) {
    await progress(40, "Under\u001B[31mway");
    if (input.wait) await gate.promise;
    if (input.how === "failed") throw new Failure("NO_LUCK", "It did not work");
    return input.how === "blocked" ? blocked("Look", input) : input;
  },
});

let data: TestData;
let app: App;
let url: string;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "jobwire-command-"));
  data = await newTestData();
  app = await start("0");
  ({ url } = app);
  return async () => {
    gate.resolve();
    await app.close();
    await data.remove();
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(port: string): Promise<App> {
  const env = { ...data.env, PORT: port, SHUTDOWN_GRACE_MS: "0" };
  return createApp(loadConfig(env), { kinds: [ends], log });
}

type Given = NonNullable<Parameters<typeof runIn>[1]>;
const run = (args: string[], given: Given = {}) =>
  runIn(args, { ...given, env: { JOBWIRE_URL: url, ...given.env } });

async function json(args: string[], given?: Given): Promise<Record<string, unknown>[]> {
  const { out } = await run([...args, "--json"], given);
  const lines = out.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function created(...fields: string[]): Promise<string> {
  const { code, out, err } = await run(["create", "ends", ...fields]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out.trim();
}

async function newest(): Promise<unknown> {
  const [job] = await json(["list", "--limit", "1"]);
  return job?.id;
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("create", () => {
  test("prints the id, and makes the input from fields by the kind's schema", async () => {
    const id = await created("size=7", "tags=a; b", "at.city=São Paulo", "at.zip=12", "wait=no");
    await run(["watch", id]);
    const [job] = await json(["list", "--limit", "1"]);
    expect(job).toMatchObject({ id, kind: "ends", status: "DELIVERED" });
    const answer = await fetch(`${url}/api/v1/jobs/${id}`);
    expect(await answer.json()).toMatchObject({
      input: {
        how: "delivered",
        size: 7,
        tags: ["a", "b"],
        at: { city: "São Paulo", zip: 12 },
        wait: false,
      },
    });
  });

  test("takes the input as JSON, from a file and from the standard input", async () => {
    const input = JSON.stringify({ how: "blocked" });
    const from = file("input.json", input);
    for (const [given, options] of [
      [input, {}],
      [`@${from}`, {}],
      ["-", { input }],
    ] as const) {
      const [job] = await json(["create", "ends", "--input", given], options);
      expect(job).toMatchObject({ title: "Ends blocked" });
    }
  });

  test.each([
    ["delivered", 0],
    ["failed", 1],
    ["blocked", 2],
  ])("with --watch ends as the job does: %s with %d", async (how, code) => {
    const given = await run(["create", "ends", `how=${how}`, "--watch"]);
    expect(given).toMatchObject({ code, err: "" });
    expect(given.out).toMatch(new RegExp(`% ${code === 1 ? "ABORTED" : how.toUpperCase()} .*\\n$`));
  });

  test("a key creates once, and options reach the queue", async () => {
    const args = ["create", "ends", "--key", "order-17", "--priority", "9", "--delay", "1h"];
    const [first] = await json([...args, "--expires-in", "2h", "--attempts", "3"]);
    expect(first).toMatchObject({ status: "PENDING", priority: 9, maxAttempts: 3 });
    expect(first?.startsAt).not.toBeNull();
    expect(first?.expiresAt).not.toBeNull();
    const [second] = await json([...args, "--expires-in", "2h", "--attempts", "3"]);
    expect(second?.id).toBe(first?.id);
  });

  test.each([
    [["create", "nothing", "a=b"], 1, 'The server has no kind "nothing", but: ends.'],
    [["create", "ends", "colour=red"], 64, 'The kind has no field "colour", but: how, size,'],
    [["create", "ends", "size=large"], 64, "size: “large” is not a whole number."],
    [["create", "ends", "size"], 64, '"size" is no field=value.'],
    [["create", "ends", "wait=maybe"], 64, "wait: “maybe” is neither true nor false."],
    [["create", "ends", "how=odd"], 64, "how: “odd” is none of delivered, blocked, failed."],
    [["create", "ends", "size=101"], 1, "size"],
    [["create", "ends", "--input", "{"], 64, "--input: Is not JSON"],
    [["create", "ends", "--input", "@/none"], 64, "--input: ENOENT"],
    [["create", "ends", "a=b", "--input", "{}"], 64, "not by both"],
    [["create", "ends", "--priority", "high"], 64, "--priority must be a whole number"],
    [["create", "ends", "--colour"], 64, "unknown option"],
    [["create"], 64, "missing required argument"],
  ])("%j ends with %d and says why", async (args, code, message) => {
    const given = await run(args);
    expect(given).toMatchObject({ code, out: "" });
    expect(given.err).toContain(message);
  });
});

describe("batch", () => {
  test("creates a job for each row, and watches all of them", async () => {
    const rows = "How;Size;at city\ndelivered;1;Oslo\n\nblocked;2;\n";
    const given = await run(["batch", file("rows.csv", rows), "--watch"]);
    expect(given).toMatchObject({ code: 2, err: "" });
    expect(given.out).toMatch(/100% 2 of 2 jobs, 1 blocked\n$/);
    const [batch] = await json(["batch", "-", "--name", "Mine"], { input: rows });
    expect(batch).toMatchObject({ name: "Mine", total: 2 });
    const jobs = await json(["list", "--batch", String(batch?.id)]);
    expect(new Set(jobs.map(({ title }) => title))).toEqual(
      new Set(["Ends blocked", "Ends delivered"]),
    );
  });

  test("reads what Excel saves", async () => {
    const utf16 = Buffer.from("\uFEFFhow\tat.city\ndelivered\tMalmö\n", "utf16le");
    const [batch] = await json(["batch", file("excel.txt", utf16)]);
    expect(batch).toMatchObject({ name: "excel.txt", total: 1 });
  });

  test.each([
    ["how,colour\ndelivered,red\n", "Line 1: The kind has no “colour”. Its columns are “how”,"],
    ["how,How\ndelivered,blocked\n", "Line 1: More than one column is “how”."],
    ["size\n1\n\nlarge\n", "Line 4: size: “large” is not a whole number."],
    ["size\n1\n500\n", "Line 3: size:"],
    ["size\n1,2\n", "Line 2: The row has more cells than there are columns."],
    ['size\n"1\n', "Line 2: Begins a cell with a quote"],
    ["size\n", "There is no row below the names of the columns."],
  ])("names the line of what is wrong: %j", async (rows, message) => {
    const before = await newest();
    const given = await run(["batch", file("bad.csv", rows)]);
    expect(given).toMatchObject({ code: 1, out: "" });
    expect(given.err).toContain(message);
    expect(await newest()).toBe(before);
  });

  test("a file that is none is wrong usage", async () => {
    expect(await run(["batch", join(folder, "none.csv")])).toMatchObject({ code: 64 });
    expect(await run(["batch", file("empty.csv", " ")])).toMatchObject({ code: 64 });
    const binary = await run(["batch", file("binary.csv", "a\0b")]);
    expect(binary.err).toContain("is not a text file");
  });
});

describe("watch", () => {
  test("Ctrl-C leaves the job running, and says how to come back", async () => {
    const id = await created("wait=true");
    const leave = new AbortController();
    const given = await run(["watch", id], {
      interrupt: leave.signal,
      onWrite: (text) => text.includes("40%") && leave.abort(),
    });
    expect(given.code).toBe(130);
    expect(given.err).toBe(`The job goes on. Come back with: jobwire watch ${id}\n`);
    gate.resolve();
    expect(await run(["watch", id])).toMatchObject({ code: 0 });
  });

  test("several end with the worst of their endings, and each line has its name", async () => {
    const ids = [await created("how=delivered"), await created("how=blocked")];
    const { out: batch } = await run(["batch", "-"], { input: "how\nfailed\n" });
    const two = await run(["watch", ...ids]);
    expect(two.code).toBe(2);
    expect(two.out).toContain("Ends blocked: 40% BLOCKED Look\n");
    expect(await run(["watch", ...ids, batch.trim()])).toMatchObject({ code: 1 });
  });

  test("goes on over a restart of the server, without a gap", async () => {
    const port = await freePort();
    const second = await newTestData();
    const env = { ...second.env, PORT: String(port), SHUTDOWN_GRACE_MS: "0" };
    const open = () => createApp(loadConfig(env), { kinds: [ends], log });
    let server = await open();
    onTestFinished(async () => {
      await server.close();
      await second.remove();
    });
    const at = { env: { JOBWIRE_URL: server.url } };
    const { out: id } = await run(["create", "ends", "wait=true"], at);
    const restart = Promise.withResolvers<void>();
    const watching = run(["watch", id.trim(), "--json"], {
      ...at,
      onWrite: (text) => text.includes('"progress":40') && restart.resolve(),
    });
    await restart.promise;
    await server.close();
    gate.resolve();
    server = await open();
    const { code, out } = await watching;
    expect(code).toBe(0);
    const seqs = out.split("\n").flatMap((line) => (line === "" ? [] : [seqOf(line)]));
    const [first = 0] = seqs;
    expect(seqs).toEqual(seqs.map((_, index) => first + index));
  });

  test("draws bars at a terminal, and nothing of a job's text reaches it as a command", async () => {
    const { code, out } = await run(["create", "ends", "--watch"], { isTTY: true });
    expect(code).toBe(0);
    expect(out).toContain("] 100% DELIVERED");
    expect(out).not.toContain("\u001B[31m");
    const rows = await run(["batch", "-", "--watch"], { isTTY: true, input: "how\nfailed\n" });
    expect(rows.code).toBe(1);
    expect(rows.out).toMatch(/100% 1\/1 .*1 aborted/);
  });

  test.each([
    [["watch", ABSENT], 1, `There is no job and no batch ${ABSENT}`],
    [["watch", "17"], 64, '"17" is no id'],
    [["watch"], 64, "missing required argument"],
  ])("%j ends with %d", async (args, code, message) => {
    const given = await run(args);
    expect(given).toMatchObject({ code, out: "" });
    expect(given.err).toContain(message);
  });
});

describe("list, kinds, cancel, retry", () => {
  test("list filters, and says when there is nothing", async () => {
    const id = await created("how=blocked");
    await run(["watch", id]);
    const { out } = await run(["list", "--status", "BLOCKED", "--kind", "ends", "--limit", "1"]);
    expect(out).toMatch(/^ID +STATUS +% +KIND +CREATED +TITLE\n/);
    expect(out).toContain(`${id}  BLOCKED`);
    expect(out.trim().split("\n")).toHaveLength(2);
    expect((await run(["list", "--batch", ABSENT])).out).toBe("There are no such jobs.\n");
    expect(await run(["list", "--status", "ODD"])).toMatchObject({ code: 2 });
  });

  test("kinds tells the fields that create and batch take", async () => {
    expect((await run(["kinds"])).out).toContain("ends  Ends as its input says\n");
    const { out } = await run(["kinds", "ends"]);
    expect(out).toMatch(/^how +delivered\|blocked\|failed$/m);
    expect(out).toMatch(/^at\.city +string$/m);
    expect(out).toMatch(/^tags +list of string$/m);
    const [kind] = await json(["kinds", "ends"]);
    expect(kind).toMatchObject({ name: "ends", input: { type: "object" } });
  });

  test("cancel takes jobs and batches, and goes on after one that is refused", async () => {
    const { out: batch } = await run(["batch", "-"], { input: "wait\ntrue\n" });
    const ids = [await created("wait=true"), batch.trim()];
    const given = await run(["cancel", ABSENT, ...ids, "--note", "Wrong list"]);
    expect(given.code).toBe(1);
    expect(given.err).toContain(`error: ${ABSENT}: There is no job`);
    expect(given.out.trim().split("\n")).toHaveLength(2);
    expect(await run(["watch", ...ids])).toMatchObject({ code: 1 });
  });

  test("retry runs an aborted job again, and no other", async () => {
    const id = await created("how=failed");
    expect(await run(["watch", id])).toMatchObject({ code: 1 });
    expect(await run(["retry", id])).toMatchObject({ code: 0, err: "" });
    const delivered = await created();
    await run(["watch", delivered]);
    expect(await run(["retry", delivered])).toMatchObject({ code: 1, out: "" });
    const { out: batch } = await run(["batch", "-"], { input: "how\nblocked\n" });
    expect((await run(["retry", batch.trim()])).err).toContain("This is a batch.");
  });
});

describe("the server", () => {
  test("cannot be reached", async () => {
    const closed = `http://127.0.0.1:${await freePort()}`;
    const given = await run(["list"], { env: { JOBWIRE_URL: closed } });
    expect(given.code).toBe(1);
    expect(given.err).toMatch(
      /cannot be reached \(.*ECONNREFUSED.*\)\. JOBWIRE_URL is the address/,
    );
  });

  test.each(["ftp://jobs", "http://ann:secret@jobs", "http://jobs?a=b", "jobs"])(
    "%s is no address",
    async (address) => {
      expect(await run(["list"], { env: { JOBWIRE_URL: address } })).toMatchObject({ code: 2 });
      const watching = await run(["watch", ABSENT], { env: { JOBWIRE_URL: address } });
      expect(watching).toMatchObject({ code: 64 });
    },
  );

  test("wants a token, which JOBWIRE_TOKEN is", async () => {
    const own = await newTestData();
    const env = {
      ...own.env,
      PORT: "0",
      AUTH_JWT_SECRET: "a secret of the tests that has 32 bytes",
    };
    const server = await createApp(loadConfig(env), { kinds: [ends], log });
    onTestFinished(async () => {
      await server.close();
      await own.remove();
    });
    const JOBWIRE_URL = server.url;
    for (const args of [["list"], ["watch", ABSENT], ["create", "ends"]]) {
      const { code, err } = await run(args, { env: { JOBWIRE_URL } });
      expect(code).toBe(1);
      expect(err).toContain("Set JOBWIRE_TOKEN to a token or an API key.");
    }
    const who = ["--sub", "ann", "--tenant", "acme", "--scope", "jobs:read"];
    const { out: token } = await runIn(["token", ...who], { env });
    const signedIn = { env: { JOBWIRE_URL, JOBWIRE_TOKEN: token.trim() } };
    expect(await run(["list"], signedIn)).toMatchObject({
      code: 0,
      out: "There are no such jobs.\n",
    });
    const refused = await run(["create", "ends"], signedIn);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("jobs:write");
  });

  test("a process ends with 130 at SIGINT, and its job runs on", async () => {
    const id = await created("wait=true");
    const args = ["server/command/main.ts", "watch", id];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, JOBWIRE_URL: url },
      stdio: ["ignore", "pipe", "pipe"],
    });
    killOnExit(child);
    const errors = text(child.stderr);
    await once(child.stdout, "data");
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([130, null]);
    expect(await errors).toContain(`jobwire watch ${id}`);
    gate.resolve();
    expect(await run(["watch", id])).toMatchObject({ code: 0 });
  });
});

function seqOf(line: string): number {
  return (JSON.parse(line) as { seq: number }).seq;
}
