/** Runs each snippet of docs/http.md as it stands there. Its kind stands in for the article's, with the same input. */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { EventSource } from "eventsource";
import { WebSocket } from "ws";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { defineKind } from "#server/kinds/define.ts";
import { ArticleInputSchema } from "#shared/article/article.schema.ts";
import type { Job } from "#shared/job.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";

const PAGE = readFileSync("docs/http.md", "utf8");
const snippetsOf = (language: string) =>
  [...PAGE.matchAll(/```(\w*)\n([\s\S]*?)```/g)]
    .filter(([, each]) => each === language)
    .map(([, , code = ""]) => code);

const article = defineKind({
  name: "article",
  input: ArticleInputSchema,
  output: z.unknown(),
  title: ({ anchorText }) => anchorText,
  run: async ({ input }) => input,
});

let app: App;
let data: TestData;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "jobwire-guide-"));
  data = await newTestData();
  const env = { ...data.env, PORT: "0", LOG_LEVEL: "silent" };
  app = await createApp(loadConfig(env), { kinds: [article] });
});
afterAll(async () => {
  await app.close();
  await data.remove();
  await rm(folder, { recursive: true });
});

async function runShell(code: string, env: Record<string, string> = {}): Promise<string> {
  const text = code.replaceAll("http://localhost:8000/api", `${app.url}/api`);
  const { stdout } = await promisify(execFile)("sh", ["-euc", text], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
  });
  return stdout;
}

/** Addresses of a page are relative to its server. */
const onServer = (address: string | URL) => new URL(address, app.url);

async function runInPage(code: string, given: Record<string, unknown>): Promise<void> {
  const page = {
    EventSource: class extends EventSource {
      constructor(address: string) {
        super(onServer(address));
        onTestFinished(() => this.close());
      }
    },
    fetch: (address: string, init: RequestInit) => fetch(onServer(address), init),
    ...given,
  };
  // eslint-disable-next-line typescript/no-implied-eval -- It is our own page.
  const run = new Function(...Object.keys(page), `return (async () => {${code}})();`) as (
    ...values: unknown[]
  ) => Promise<void>;
  await run(...Object.values(page));
}

async function created(): Promise<string> {
  const [create = ""] = snippetsOf("sh");
  return (JSON.parse(await runShell(create)) as Job).id;
}

const hasCurl = spawnSync("curl", ["--version"]).status === 0;

test.skipIf(!hasCurl)("[N2] [N4] [N5] [N7] the calls of the guide do what it says", async () => {
  const [create = "", watch = "", once = "", describe = "", ...others] = snippetsOf("sh");
  expect(others).toEqual([]);
  const job = JSON.parse(await runShell(create)) as Job;
  expect(job).toMatchObject({ kind: "article", title: "self-watering planters" });
  const events = await runShell(watch, { JOB_ID: job.id });
  expect(events).toMatch(/^retry: \d+\n\nid: 1\nevent: job\ndata: \{"jobId":/);
  expect(events).toMatch(/\nid: \d+\.end\nevent: end\ndata: \{\}\n\n$/);
  const [first, second] = [await runShell(once), await runShell(once)].map(
    (text) => JSON.parse(text) as Job,
  );
  expect(first?.id).not.toBe(job.id);
  expect(second?.id).toBe(first?.id);
  await runShell(describe);
  const document = JSON.parse(await readFile(join(folder, "jobwire.json"), "utf8")) as object;
  expect(document).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) as string });
});

test.skipIf(!hasCurl)(
  "[N3] the problem that the guide shows is that of a wrong address",
  async () => {
    const [shown = ""] = snippetsOf("json");
    const [create = ""] = snippetsOf("sh");
    const wrong = create.replace('"http://localhost:8000/samples/target/"', '"nowhere"');
    const problem = JSON.parse(await runShell(wrong)) as { errors: { pointer: string }[] };
    const documented = JSON.parse(shown) as typeof problem;
    expect(Object.keys(problem)).toEqual(Object.keys(documented));
    const { errors: _, detail: __, ...same } = documented as typeof problem & { detail: string };
    expect(problem).toMatchObject(same);
    expect(problem.errors[0]?.pointer).toBe(documented.errors[0]?.pointer);
  },
);

test.skipIf(!hasCurl)("[N5] [N6] the snippets for browsers watch a job to its end", async () => {
  const [watch = "", credentials = "", ...others] = snippetsOf("js");
  expect(others).toEqual([]);
  const jobId = await created();
  const console = { log: vi.fn<(event: unknown) => void>() };
  await runInPage(watch, { jobId, console });
  await vi.waitFor(() => {
    expect(console.log).toHaveBeenLastCalledWith(
      expect.objectContaining({ jobId, status: "DELIVERED" }),
    );
  });
  const opened: string[] = [];
  class PageSocket extends WebSocket {
    constructor(address: string, protocols: string[]) {
      super(address.replace("wss://jobs.example.com", app.url.replace("http", "ws")), protocols);
      this.on("message", (text: Buffer) => opened.push(text.toString()));
      onTestFinished(() => this.terminate());
    }
  }
  await runInPage(credentials, { jobId, token: "abc", WebSocket: PageSocket });
  await vi.waitFor(() => expect(opened.at(-1)).toMatch(/"event":"end"/));
});
