/**
 * A disk that is full, as far as the process can tell: the kernel lets none of its files grow beyond a limit.
 * Linux only, because only there can the limit be lifted again from outside.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ANN, logOf } from "#test/engine/builders.ts";
import { type Child, spawnChild } from "#test/engine/sqlite-child.ts";
import { openSqliteEngine } from "./open.ts";

let dataDir: string;
let child: Child | undefined;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "jobwire-full-"));
});

afterEach(async () => {
  await child?.kill();
  rmSync(dataDir, { recursive: true });
});

/** Answers each line on its input with one on its output. */
const SERVER = `
  import { execFileSync } from "node:child_process";
  import { createInterface } from "node:readline";
  const { at, newJob, START, codeOf } = suites;
  // Else the kernel ends the process when a file would grow too large.
  process.on("SIGXFSZ", () => undefined);
  const engine = await openSqliteEngine({ dataDir });
  const hints = [];
  await engine.onAppend({ stream: "feed", of: suites.ANN }, () => hints.push(1));
  let work = 0;
  const job = newJob();
  await engine.createJob(job, at(0));
  const made = suites.newBatch(3000);
  const input = "x".repeat(2000);
  const large = {
    batch: { ...made.batch, idempotencyKey: "large" },
    jobs: made.jobs.map((each) => ({ ...each, input })),
  };
  const commands = {
    async fill() {
      const stored = [];
      for (;;) {
        const jobs = Array.from({ length: 4 }, () => newJob({ input: "x".repeat(20_000) }));
        const heard = hints.length;
        const results = await Promise.all(jobs.map((each) => codeOf(engine.createJob(each, at(0)))));
        if (results.every((code) => code === undefined)) stored.push(...jobs.map(({ id }) => id));
        else return { stored, results, refused: jobs.map(({ id }) => id), heard: hints.length - heard };
      }
    },
    health: () => codeOf(engine.health()),
    available: () => engine.isAvailable(),
    take: async () => (await engine.claim({ worker: "w", max: 1e6, leaseMs: 3.6e6, now: at(1) })).length,
    claim: () => codeOf(engine.claim({ worker: "w", max: 1, leaseMs: 1, now: at(1) })),
    read: async () => (await engine.readEvents(job.id, 0, 10)).events.length,
    change: () => codeOf(engine.change(job.id, START, at(1))),
    batch: () => codeOf(engine.createBatch(large.batch, large.jobs, at(0))),
    // The disk is full once some of its jobs are stored.
    async batchUntilFull() {
      const stored = codeOf(engine.createBatch(large.batch, large.jobs, at(0)));
      while ((await engine.usage(suites.ANN.tenant)).waitingJobs === 1) await new Promise(setImmediate);
      execFileSync("prlimit", ["--pid=" + process.pid, "--fsize=1:unlimited"]);
      return stored;
    },
    async count() {
      const { items } = await engine.listJobs({ ...suites.ANN, limit: 10_000 });
      const { items: batches } = await engine.listBatches({ ...suites.ANN, limit: 10 });
      const { waitingJobs } = await engine.usage(suites.ANN.tenant);
      return { jobs: items.length, batches: batches.length, waitingJobs };
    },
    told: () => engine.change(job.id, START, at(1)).catch(({ message, cause }) => [message, cause.message]),
    close: () => engine.close(),
  };
  console.log(JSON.stringify({ ready: process.pid }));
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify((await commands[line]()) ?? null));
  }`;

async function startServer() {
  const server = spawnChild(dataDir, SERVER);
  child = server;
  const answer = async () => JSON.parse((await server.line()) ?? "null") as unknown;
  expect(await answer()).toEqual({ ready: server.process.pid });
  return {
    server,
    async ask(command: string) {
      server.process.stdin.write(`${command}\n`);
      return answer();
    },
    limit: (bytes: string) =>
      execFileSync("prlimit", [`--pid=${server.process.pid}`, `--fsize=${bytes}:unlimited`]),
  };
}

test.runIf(process.platform === "linux")(
  "[B1] [B3] on a full disk a large batch is refused at once, and with space its call can be repeated",
  async () => {
    const { ask, limit } = await startServer();
    expect(await ask("batchUntilFull")).toBe("UNAVAILABLE");
    // Not even what was stored of it can be deleted.
    expect(await ask("batch")).toBe("UNAVAILABLE");
    expect(await ask("count")).toEqual({ jobs: 1, batches: 0, waitingJobs: 3001 });
    limit("unlimited");
    await vi.waitFor(async () => expect(await ask("batch")).toBeNull());
    expect(await ask("count")).toEqual({ jobs: 3001, batches: 1, waitingJobs: 3001 });
    expect(await ask("take")).toBe(3001);
    await ask("close");
  },
  30_000,
);

test.runIf(process.platform === "linux")(
  "[J3] [H12] on a full disk writes fail with UNAVAILABLE, without a path, and leave nothing behind; with space they work again",
  async () => {
    const { server, ask, limit } = await startServer();
    limit("1000000");
    const filled = (await ask("fill")) as {
      stored: string[];
      results: (string | null)[];
      refused: string[];
      heard: number;
    };
    expect(filled.stored.length).toBeGreaterThan(0);
    expect(new Set(filled.results)).toEqual(new Set(["UNAVAILABLE"]));
    expect(filled.heard).toBe(0);

    // So that there is nothing to claim.
    limit("unlimited");
    expect(await ask("take")).toBe(filled.stored.length + 1);
    limit("1");
    expect(await ask("change")).toBe("UNAVAILABLE");
    const [told, kept] = (await ask("told")) as [string, string];
    expect(told).not.toContain(dataDir);
    expect(kept).toContain(dataDir);
    expect(await ask("read")).toBe(1);
    expect(await ask("available")).toBe(false);
    expect(await ask("health")).toBe("UNAVAILABLE");
    expect(await ask("claim")).toBeNull();
    expect(await ask("health")).toBe("UNAVAILABLE");

    limit("unlimited");
    expect(await ask("health")).toBeNull();
    expect(await ask("available")).toBe(true);
    expect(await ask("change")).toBeNull();
    expect(await ask("read")).toBe(2);
    await ask("close");

    await server.kill();
    const engine = await openSqliteEngine({ dataDir });
    const { items } = await engine.listJobs({ ...ANN, limit: 1000 });
    const ids = new Set(items.map(({ id }) => id));
    expect(filled.stored.every((id) => ids.has(id))).toBe(true);
    expect(filled.refused.some((id) => ids.has(id))).toBe(false);
    expect(ids.size).toBe(filled.stored.length + 1);
    for (const { id, version } of items) {
      expect((await logOf(engine, id)).map(({ seq }) => seq)).toEqual(version === 2 ? [1, 2] : [1]);
    }
    await engine.close();
  },
  30_000,
);
