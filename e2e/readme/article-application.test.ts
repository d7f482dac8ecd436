/** Runs the examples for the article application, of the README, docs/clients.md and docs/http.md, unchanged. */
import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { createTRPCClient, httpLink } from "@trpc/client";
import superjson from "superjson";
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from "vitest";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { runPython } from "#e2e/legacy/python.ts";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { openDocumentedApp } from "./documented-app.ts";

const page = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const README = page("README.md");
const CLIENTS = page("docs/clients.md");
const HTTP = page("docs/http.md");
const TYPESCRIPT_HEADING = "Stock tRPC";
const SOCKETIO_HEADING = "Socket\\.IO: existing clients in browsers and Python";
const HTTP_HEADING = "HTTP: curl, or any program that reads JSON and SSE";
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

/** The code blocks of a language under a heading, with the address of this server. */
function blocksOf(text: string, heading: string, language: string): string[] {
  const [, section = ""] = text.split(new RegExp(`^#{2,3} ${heading}\n`, "m"));
  const [own = ""] = section.split(/^#{2,3} /m);
  const blocks = [...own.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, "g"))];
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
    { timeout: 120_000 },
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
const PAIRS = [...page("docs/articles.md").matchAll(ROW)].map(([, ...cells]) => cells);

test("docs/articles.md lists samples for both outcomes", () => {
  expect(new Set(PAIRS.map(([, , , end]) => end))).toEqual(new Set(["DELIVERED", "BLOCKED"]));
  expect(PAIRS).toHaveLength(4);
});

test.each(PAIRS)("the sample %s with %s and %s ends %s", async (publisher, target, anchor, end) => {
  const { id } = await createSample(publisher, target, anchor);
  expect(await settled(id)).toMatchObject({ status: end });
});

async function outputOf(command: string): Promise<string> {
  const { stdout } = await run("sh", ["-c", command]);
  return stdout;
}

async function answerOf(command: string): Promise<Record<string, unknown>> {
  const answer = JSON.parse(await outputOf(command)) as {
    result: { data: { json: Record<string, unknown> } };
  };
  return answer.result.data.json;
}

/** The events of an SSE stream of the API that ends by itself. */
async function eventsOf(command: string): Promise<{ ids: string[]; statuses: string[] }> {
  const output = await outputOf(command);
  return {
    ids: idsIn(output),
    statuses: [...output.matchAll(/^event: job\ndata: (.*)$/gm)].map(
      ([, text = ""]) => (JSON.parse(text) as { status: string }).status,
    ),
  };
}

const idsIn = (output: string) => [...output.matchAll(/^id: (\d+)$/gm)].map(([, id = ""]) => id);

test.skipIf(!hasCurl())(
  "[S10] [N5] the curl examples of the README and of docs/clients.md work",
  async () => {
    const [create = "", stream = ""] = (blocksOf(README, HTTP_HEADING, "sh")[0] ?? "").split(
      "\n\n",
    );
    const [calls = "", resume = ""] = blocksOf(CLIENTS, "HTTP", "sh");
    const [get = "", batch = ""] = calls.split("\n\n");

    const { id } = JSON.parse(await outputOf(create)) as { id: string };
    const withId = (line: string) => line.replace("your-job-id", id);
    expect(await answerOf(withId(get))).toMatchObject({ id, kind: "article" });
    expect(await answerOf(batch)).toMatchObject({ name: "Two at once", total: 2 });

    const whole = await eventsOf(withId(stream));
    expect(whole.ids[0]).toBe("1");
    expect(whole.statuses[0]).toBe("PENDING");
    expect(whole.statuses.at(-1)).toBe("DELIVERED");
    expect(idsIn(await outputOf(withId(resume)))).toEqual(whole.ids.slice(1));
  },
);

test.skipIf(!hasCurl())("[N4] [N5] [N7] the curl examples of docs/http.md work", async () => {
  const [create = "", watch = ""] = blocksOf(HTTP, "A job in two calls", "sh");
  const [once = ""] = blocksOf(HTTP, "Once only", "sh");
  const [describe = ""] = blocksOf(HTTP, "A client in your language", "sh");
  const created = JSON.parse(await outputOf(create)) as { id: string };
  const { statuses } = await eventsOf(`JOB_ID=${created.id}; ${watch}`);
  expect([statuses[0], statuses.at(-1)]).toEqual(["PENDING", "DELIVERED"]);
  const first = JSON.parse(await outputOf(once)) as { id: string };
  expect(JSON.parse(await outputOf(once))).toMatchObject({ id: first.id });
  const document = await outputOf(describe.replace("-o jobwire.json", ""));
  expect(JSON.parse(document)).toMatchObject({ openapi: "3.1.0" });
});

test("the README's TypeScript example watches a new job to its end", async () => {
  const [lines = ""] = blocksOf(README, TYPESCRIPT_HEADING, "ts");
  const { stdout } = await run(process.execPath, ["--input-type=module-typescript", "-e", lines]);
  expect(stdout.trim().split("\n").at(-1)).toMatch(/^\d+ DELIVERED 100 /);
});

test("the example of docs/clients.md with a handle follows a new job to its output", async () => {
  const [lines = ""] = blocksOf(CLIENTS, "Jobs as handles", "ts");
  const app = await openDocumentedApp();
  onTestFinished(() => app.remove());
  const args = ["--input-type=module-typescript", "-e", lines];
  const { stdout } = await run(process.execPath, args, { cwd: app.dir });
  expect(stdout).toMatch(/^1 PENDING 0 /);
  expect(stdout).toMatch(/^\d+ DELIVERED 100 /m);
  expect(stdout).toMatch(/^output \{$/m);
});

test("the SSE example of docs/clients.md watches the newest job to its end", async () => {
  const { id } = await createSample();
  await settled(id);
  const [lines = ""] = blocksOf(CLIENTS, "Subscriptions over SSE", "ts");
  const { stdout } = await run(process.execPath, ["--input-type=module-typescript", "-e", lines]);
  const shown = stdout.trim().split("\n");
  expect(shown[0]).toBe("1 PENDING 0 Job created and queued for processing");
  expect(shown.at(-1)).toMatch(/^\d+ (DELIVERED|BLOCKED) /);
});

test("[L1] the README's Python example prints the end of a job, and the reason of a failed subscription", async () => {
  const [lines = ""] = blocksOf(README, SOCKETIO_HEADING, "python");
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
      { timeout: 120_000 },
    );
    expect([failed.stderr(), unknown.stderr()]).toEqual(["", ""]);
  } finally {
    await failed.end();
    await unknown.end();
  }
});
