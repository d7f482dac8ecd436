/** Programs that had a Jobwire attached end by themselves: nothing of it keeps their process running. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { freePort } from "#test/free-port.ts";
import { killOnExit } from "#test/kill-on-exit.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

let data: TestData;
beforeEach(async () => {
  data = await newTestData();
});
afterEach(() => data.remove());

/** `before` and `after`: what the process listens to, so that a listener that stays is seen. */
const program = (story: string) => `
import { once } from "node:events";
import { createServer } from "node:http";
import { WebSocket } from "ws";
import { createJobwire, defineKind } from "#server/index.ts";
import { z } from "zod";

const listeners = () =>
  JSON.stringify(process.eventNames().map((name) => [String(name), process.listenerCount(name)]).sort());
const kind = defineKind({
  name: "quick",
  input: z.object({}),
  output: z.null(),
  run: async () => null,
});
const env = { ...process.env, LOG_LEVEL: "silent" };
const server = createServer((req, res) => res.end("app"));
const jobwire = createJobwire({ kinds: [kind], env });
const listen = async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return "127.0.0.1:" + server.address().port;
};
const before = listeners();
${story}
process.once("exit", () => {
  const after = listeners();
  console.log(before === after ? "ended" : before + " became " + after);
});
`;

test.each<[what: string, story: string]>([
  ["whose server never listened", "await jobwire.attach(server); await jobwire.close();"],
  [
    "whose server closed first, with a WebSocket and a job",
    `
const at = await listen();
await jobwire.attach(server);
const socket = new WebSocket("ws://" + at + "/jobwire/trpc");
await once(socket, "open");
const caller = { userId: "a", tenantId: "t", scopes: ["*"] };
await jobwire.jobs.create(caller, { kind: "quick", input: {} });
server.close();
await jobwire.close();`,
  ],
  [
    "that goes on without Jobwire, and answers",
    `
const at = await listen();
await jobwire.attach(server);
await (await fetch("http://" + at + "/jobwire/healthz")).text();
await jobwire.close();
const left = await fetch("http://" + at + "/jobwire/healthz");
if (left.status !== 503) throw new Error("It answers " + left.status + ".");
if ((await (await fetch("http://" + at + "/x")).text()) !== "app") throw new Error("It is gone.");
server.close();`,
  ],
  [
    "that closed Jobwire while it attached",
    `
const attaching = jobwire.attach(server);
const closing = jobwire.close();
const { code } = await attaching.catch((error) => error);
if (code !== "UNAVAILABLE") throw new Error("It was attached.");
await closing;`,
  ],
  [
    "whose Jobwire could not be attached, and is not closed",
    `
const { name } = await jobwire.attach(server, { basePath: "jobs" }).catch((error) => error);
if (name !== "TypeError") throw new Error("It was attached.");`,
  ],
])("[E9] a program %s ends by itself", async (_, story) => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program(story)], {
    cwd: ROOT,
    env: { ...data.env, METRICS_PORT: String(await freePort()) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  killOnExit(child);
  const written = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await once(child, "close")) as [number | null];
  const [output, errors] = await written;
  expect([code, output.trim(), errors]).toEqual([0, "ended", ""]);
});
