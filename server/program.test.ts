import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Job } from "#shared/job.ts";
import {
  checksLater,
  outputChecksLater,
  returnsFirst,
  strayKinds,
} from "#test/jobs/stray-kinds.ts";

/** An embedding program with its own kinds. */
const PROGRAM = `
  import { runProgram } from "./server/program.ts";
  import { checksLater, outputChecksLater, returnsFirst, strayKinds } from "#test/jobs/stray-kinds.ts";
  const kinds = [...strayKinds, returnsFirst, checksLater, outputChecksLater];
  await runProgram(process.env, { kinds });
`;
const ROOT = fileURLToPath(new URL("..", import.meta.url));

let child: ChildProcess;
let dataDir: string;
let url: string;
const lines: { msg?: string; level: number; jobId?: string }[] = [];
let warnings = "";

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "jobwire-program-"));
  child = spawn(process.execPath, ["--input-type=module", "-e", PROGRAM], {
    cwd: ROOT,
    env: { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, PORT: "0", DATA_DIR: dataDir },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stderr?.on("data", (text: Buffer) => (warnings += text.toString()));
  if (child.stdout === null) throw new Error("The child has no output.");
  const output = createInterface({ input: child.stdout });
  output.on("line", (line) => lines.push(JSON.parse(line) as (typeof lines)[number]));
  url = await vi.waitFor(() => {
    const line = lines.find(({ msg }) => msg === "listening") as { url: string } | undefined;
    if (line === undefined) throw new Error(`It does not listen yet. ${warnings}`);
    return line.url;
  });
});
afterAll(async () => {
  child.kill("SIGKILL");
  await rm(dataDir, { recursive: true });
});

async function call(path: string, body: unknown, method = "POST"): Promise<unknown> {
  const query =
    method === "GET" ? `?input=${encodeURIComponent(JSON.stringify({ json: body }))}` : "";
  const response = await fetch(`${url}/trpc/${path}${query}`, {
    method,
    headers: { "content-type": "application/json" },
    ...(method === "POST" ? { body: JSON.stringify({ json: body }) } : {}),
  });
  const answer = (await response.json()) as {
    result?: { data: { json: unknown } };
    error?: { json: unknown };
  };
  return answer.result?.data.json ?? answer.error?.json;
}

const create = async (kind: string) => (await call("job.create", { kind, input: {} })) as Job;

const settled = (jobId: string) =>
  vi.waitFor(async () => {
    const job = (await call("job.get", { jobId }, "GET")) as Job;
    expect(job.finishedAt).not.toBeNull();
    return job;
  });

test.each(strayKinds.map(({ name }) => name))(
  "[H6] [H12] an error that a kind throws %s ends its job, and the server continues",
  async (how) => {
    const { id } = await create(how);
    const job = await settled(id);
    expect(job).toMatchObject({ status: "ABORTED", error: { code: "KIND_FAILED" } });
    expect(job.message).toMatch(
      how === "when_it_is_told_to_stop"
        ? /^`progress` takes text/
        : /^Its code threw an error outside of `run`: ./,
    );
    expect(job.message).not.toMatch(/\/is\/not\/there|127\.0\.0\.1/);
    await vi.waitFor(() => {
      const told = lines.filter(({ jobId, level }) => jobId === id && level === 50);
      expect(told.at(-1)?.msg).toBe("A kind threw an error outside of `run`");
      // A kind that throws endlessly does not fill the log.
      expect(told.length).toBeLessThanOrEqual(10);
    });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  },
);

test("an error that a kind throws after its job ended is logged, and changes nothing", async () => {
  const { id } = await create(returnsFirst.name);
  expect(await settled(id)).toMatchObject({ status: "DELIVERED" });
  await vi.waitFor(() =>
    expect(lines).toContainEqual(
      expect.objectContaining({ jobId: id, msg: "A kind threw an error outside of `run`" }),
    ),
  );
  expect(await settled(id)).toMatchObject({ status: "DELIVERED", version: 3 });
});

test("[H6] a check that rejects unawaited causes a warning, and the caller gets INTERNAL", async () => {
  expect(await create(checksLater.name)).toMatchObject({ data: { appCode: "INTERNAL" } });
  await vi.waitFor(() => expect(warnings).toContain("a bug"));
  expect(lines).toContainEqual(expect.objectContaining({ msg: "A procedure failed" }));
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test("[H6] a check of an output that rejects unawaited causes a warning, and ends its job", async () => {
  warnings = "";
  const { id } = await create(outputChecksLater.name);
  expect(await settled(id)).toMatchObject({ error: { code: "KIND_FAILED" } });
  await vi.waitFor(() => expect(warnings).toContain("a bug"));
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test("after all of these faults the server stops normally", async () => {
  const closed = once(child, "close");
  child.kill("SIGTERM");
  expect(await closed).toEqual([0, null]);
});

test("[J16] a kind that cannot be registered stops the start with one line that names it", async () => {
  const program = `
    import { z } from "zod";
    import { defineKind } from "./server/kinds/define.ts";
    import { runProgram } from "./server/program.ts";
    const output = z.object({ at: z.date() });
    await runProgram(process.env, {
      kinds: [defineKind({ name: "dated", input: z.object({}), output, run: async () => ({ at: new Date() }) })],
    });
  `;
  const failing = spawn(process.execPath, ["--input-type=module", "-e", program], {
    cwd: ROOT,
    env: { PORT: "0", DATA_DIR: join(dataDir, "other") },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  failing.stderr?.on("data", (text: Buffer) => (said += text.toString()));
  expect(await once(failing, "close")).toEqual([1, null]);
  expect(said).toMatch(/^The output of the kind "dated" has no JSON Schema: .*\n$/);
});
