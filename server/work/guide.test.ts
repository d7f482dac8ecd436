/** Runs each call of docs/workers.md as it stands there, with the kind that the page declares. */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { type AnyKind, defineKind } from "#server/kinds/define.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { z } from "zod";
import type { Work } from "#shared/work.ts";

const PAGE = readFileSync("docs/workers.md", "utf8");
const snippetsOf = (language: string) =>
  [...PAGE.matchAll(/```(\w+)\n([\s\S]*?)```/g)]
    .filter(([, each]) => each === language)
    .map(([, , code = ""]) => code);

let app: App;
let data: TestData;

beforeAll(async () => {
  data = await newTestData();
  const [declared = ""] = snippetsOf("ts");
  const code = declared.replace(/import .*\n/g, "").replace("export const thumbnails =", "return");
  // eslint-disable-next-line typescript/no-implied-eval -- It is our own page.
  const make = new Function("defineKind", "z", code) as (...args: unknown[]) => AnyKind;
  const env = { ...data.env, PORT: "0", LOG_LEVEL: "silent" };
  app = await createApp(loadConfig(env), { kinds: [make(defineKind, z)] });
});
afterAll(async () => {
  await app.close();
  await data.remove();
});

async function run(code: string, env: Record<string, string> = {}): Promise<unknown[]> {
  const text = code
    .replaceAll("http://localhost:8000", app.url)
    .replaceAll("\ncurl", "\necho\ncurl");
  const { stdout } = await promisify(execFile)("sh", ["-euc", text], {
    env: { PATH: process.env.PATH, ...env },
  });
  return stdout.split("\n").map((line) => JSON.parse(line) as unknown);
}

const hasCurl = spawnSync("curl", ["--version"]).status === 0;

test.skipIf(!hasCurl)("[G1] [G4] the calls of the guide run a job of its kind", async () => {
  const [claim = "", reports = "", deliver = "", key = ""] = snippetsOf("sh");
  const asked = run(claim);
  const input = { url: "https://example.com/a.png", width: 100 };
  const made = await fetch(`${app.url}/api/v1/jobs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ kind: "thumbnails", input }),
  });
  expect(made.status).toBe(201);
  const [{ jobs }] = (await asked) as [Work];
  expect(jobs).toMatchObject([{ kind: "thumbnails", input, attempt: 1, leaseEndsInMs: 60_000 }]);
  const [job] = jobs;
  const env = { JOB_ID: job?.jobId ?? "", TOKEN: job?.token ?? "" };
  const held = { cancelled: false, leaseEndsInMs: 60_000 };
  expect(await run(reports, env)).toEqual([held, { ...held, length: 13 }, held]);
  expect(await run(deliver, env)).toEqual([{ status: "DELIVERED", cancelled: false }]);
  expect(key).toContain("--scope work");
  expect(snippetsOf("sh")).toHaveLength(4);
});
