/** Faulty kinds: the fault of a job ends only that job. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import type { Target } from "./attack.ts";
import { settled } from "./foreign-pages.ts";
import { postJson } from "./requests.ts";

const APP = fileURLToPath(new URL("kinds-app.ts", import.meta.url));

const BAD = [
  "half a percent",
  "no percent",
  "too many percent",
  "a negative percent",
  "a percent as text",
  "no message",
  "a message that is a number",
  "an outcome without a message",
  "an output that is nothing",
  "an output that does not fit",
  "an output that is no JSON",
  "a throw",
  "a throw of null",
  "a throw of an object without a prototype",
  "a reject of a text",
];

let server: RunningServer;
let target: Target;
beforeAll(async () => {
  server = await startServer({ main: APP, env: { CONCURRENCY: "2", SHUTDOWN_GRACE_MS: "0" } });
  target = { host: "127.0.0.1", port: Number(new URL(server.url).port) };
});
afterAll(() => server.stop());

async function create(kind: string): Promise<string> {
  const created = await postJson(
    target,
    "/trpc/job.create",
    JSON.stringify({ json: { kind: kind.replaceAll(" ", "_"), input: {} } }),
  );
  return /"id":"([^"]+)"/.exec(created.text)?.[1] ?? created.text;
}

const statusOf = async (jobId: string) =>
  /"status":"(\w+)"/.exec((await settled(target, jobId)).text)?.[1];

test("a fault of a kind ends its own job, and the jobs before and after it are delivered", async () => {
  const kinds = BAD.flatMap((kind) => ["good", kind]).concat("good");
  const ids: string[] = [];
  for (const kind of kinds) ids.push(await create(kind));
  const statuses = await Promise.all(ids.map(statusOf));
  expect(kinds.map((kind, n) => `${kind}: ${statuses[n]}`)).toEqual(
    kinds.map((kind) => `${kind}: ${kind === "good" ? "DELIVERED" : "ABORTED"}`),
  );
});

test("after all of them the server stops at SIGTERM with exit code 0", async () => {
  expect(await server.kill("SIGTERM")).toBe(0);
});
