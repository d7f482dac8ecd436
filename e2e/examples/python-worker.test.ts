/** The example of a worker in Python, with a batch that outlives a worker and the server. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from "vitest";
import { type PythonProgram, runPython } from "#e2e/legacy/python.ts";
import { type Example, startExample } from "./example.ts";

const START = () => ["node_modules/jobwire/bin/jobwire.js", "start", "./jobs.ts"];
let example: Example;

beforeAll(async () => {
  example = await startExample("python-worker", { args: START });
});
afterAll(() => example.remove());

async function ask<T>(path: string, body?: object): Promise<T> {
  const answer = await fetch(`${example.url}/api/v1${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json() as Promise<T>;
}

function startWorker(): PythonProgram {
  const program = runPython(inject("python"), [join(example.dir, "worker.py")], {
    JOBWIRE_URL: example.url,
    LEASE_MS: "1500",
  });
  onTestFinished(() => program.end());
  return program;
}

const texts = (n: number) => Array.from({ length: 20 }, (_, index) => `${n} ${index}`);

interface Job {
  id: string;
  status: string;
  output: string[];
  attempt: number;
  details?: { done: number };
}

test("the worker has fewer than 100 lines", async () => {
  const text = await readFile(join(example.dir, "worker.py"), "utf8");
  expect(text.trimEnd().split("\n").length).toBeLessThan(100);
});

test("[G1] [G8] [G9] two workers in Python run a batch, though one is killed and the server restarts", async () => {
  const rows = Array.from({ length: 6 }, (_, n) => ({
    kind: "checksums",
    input: { texts: texts(n) },
  }));
  const batch = await ask<{ id: string }>("/batches", { jobs: rows });
  const jobs = async () => {
    const { items } = await ask<{ items: Job[] }>(`/jobs?batchId=${batch.id}`);
    return items.toReversed();
  };
  const killed = startWorker();
  await vi.waitFor(async () => {
    expect((await jobs()).some(({ details }) => (details?.done ?? 0) > 2)).toBe(true);
  });
  await killed.end();
  const [first, second] = [startWorker(), startWorker()];
  await vi.waitFor(() => expect([...first.lines, ...second.lines].length).toBeGreaterThan(0));
  await example.stop();
  await example.start();
  await vi.waitFor(async () => {
    expect((await jobs()).map(({ status }) => status)).toEqual(Array(6).fill("DELIVERED"));
  });
  const done = await jobs();
  expect(done.some(({ attempt }) => attempt === 2)).toBe(true);
  for (const [n, { id }] of done.entries()) {
    const { output } = await ask<Job>(`/jobs/${id}`);
    const sums = texts(n).map((text) => createHash("sha256").update(text).digest("hex"));
    expect(output).toEqual(sums);
  }
  expect(first.stderr() + second.stderr()).toBe("");
});

test("[G7] a worker stops with a job that is cancelled, and takes the next one", async () => {
  const worker = startWorker();
  const many = Array.from({ length: 100 }, (_, n) => `${n}`);
  const create = (input: object) => ask<Job>("/jobs", { kind: "checksums", input });
  const long = await create({ texts: many });
  await vi.waitFor(async () => {
    expect((await ask<Job>(`/jobs/${long.id}`)).status).toBe("PROCESSING");
  });
  await ask(`/jobs/${long.id}/cancel`, {});
  const short = await create({ texts: ["a"] });
  await vi.waitFor(() =>
    expect(worker.lines).toEqual([`left ${long.id} The job was cancelled`, `deliver ${short.id}`]),
  );
});
