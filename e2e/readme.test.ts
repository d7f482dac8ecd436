/** What the README says can be done, done as it stands there. */
import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { createTRPCClient, httpLink } from "@trpc/client";
import superjson from "superjson";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { runPython } from "./legacy/python.ts";
import { type RunningServer, startServer } from "./server.ts";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const run = promisify(execFile);

let server: RunningServer;
let trpc: ReturnType<typeof createTRPCClient<AppRouter>>;

beforeAll(async () => {
  server = await startServer({ env: { OFFLINE_PACE_MS: "0" } });
  trpc = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${server.url}/trpc`, transformer: superjson })],
  });
});

afterAll(() => server.stop());

/** The blocks of a language under a heading, for this server. */
function blocksOf(heading: string, language: string): string[] {
  const section = README.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const blocks = [...section.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, "g"))];
  return blocks.map(([, lines = ""]) =>
    lines.replaceAll("localhost:8000", new URL(server.url).host),
  );
}

function hasCurl(): boolean {
  try {
    execFileSync("curl", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const settled = (jobId: string) =>
  vi.waitFor(
    async () => {
      const job = await trpc.job.get.query({ jobId });
      if (job.finishedAt === null) throw new Error(`The job is ${job.status}.`);
      return job;
    },
    { timeout: 60_000 },
  );

async function createSample(publisher = "publisher/", target = "target/", anchorText = "planters") {
  const { host } = new URL(server.url);
  const input = {
    publisherDomain: `${host}/samples/${publisher}`,
    targetUrl: `http://${host}/samples/${target}`,
    anchorText,
  };
  return trpc.job.create.mutate({ kind: "article", input });
}

const ROW = /^\| `(\S+)` +\| `(\S+)` +\| (.+?) +\| (DELIVERED|BLOCKED) +\|$/gm;
const PAIRS = [...README.matchAll(ROW)].map(([, ...cells]) => cells);

test("the README lists the samples of both ends", () => {
  expect(new Set(PAIRS.map(([, , , end]) => end))).toEqual(new Set(["DELIVERED", "BLOCKED"]));
  expect(PAIRS).toHaveLength(4);
});

test.each(PAIRS)("the sample %s with %s and %s ends %s", async (publisher, target, anchor, end) => {
  const { id } = await createSample(publisher, target, anchor);
  expect(await settled(id)).toMatchObject({ status: end });
});

test.skipIf(!hasCurl())("[S10] the README's lines for curl work", async () => {
  const [calls = "", stream = ""] = blocksOf("Use it from anything that speaks HTTP", "sh");
  const [create = "", get = "", batch = ""] = calls.split("\n\n");
  const answerOf = async (line: string) => {
    const { stdout } = await run("sh", ["-c", line]);
    return (JSON.parse(stdout) as { result: { data: { json: Record<string, unknown> } } }).result
      .data.json;
  };
  const { id } = await answerOf(create);
  const withId = (line: string) => line.replace("your-job-id", String(id));
  expect(await answerOf(withId(get))).toMatchObject({ id, kind: "article" });
  expect(await answerOf(batch)).toMatchObject({ name: "Two at once", total: 2 });

  const { stdout: events } = await run("sh", ["-c", withId(stream)]);
  const data = [...events.matchAll(/^data: (\{"json".*)$/gm)].map(
    ([, text = ""]) => (JSON.parse(text) as { json: { status: string } }).json.status,
  );
  expect(data[0]).toBe("PENDING");
  expect(data.at(-1)).toBe("DELIVERED");
  expect(events).toMatch(/^id: 1$/m);
});

test("the README's lines for SSE watch the newest job to its end", async () => {
  const { id } = await createSample();
  await settled(id);
  const lines = blocksOf("Use it from TypeScript", "ts")[1] ?? "";
  const { stdout } = await run(process.execPath, ["--input-type=module-typescript", "-e", lines]);
  const shown = stdout.trim().split("\n");
  expect(shown[0]).toBe("1 PENDING 0 Job created and queued for processing");
  expect(shown.at(-1)).toMatch(/^\d+ (DELIVERED|BLOCKED) /);
});

test("[L1] the README's Python says how a job ends, and why it is not subscribed", async () => {
  const [lines = ""] = blocksOf("Watch it from Python", "python");
  const { id } = await createSample("publisher/", "nowhere/");
  await settled(id);
  const failed = runPython(inject("python"), ["-c", lines.replace("your-job-id", id)]);
  const unknown = runPython(inject("python"), ["-c", lines]);
  try {
    await vi.waitFor(
      () => {
        expect(failed.lines.join("\n")).toContain("Job failed: {");
        expect(unknown.lines.join("\n")).toContain("Not subscribed: {");
      },
      { timeout: 30_000 },
    );
    expect([failed.stderr(), unknown.stderr()]).toEqual(["", ""]);
  } finally {
    await failed.end();
    await unknown.end();
  }
});
