/** Compiles the guide's snippets of an app, as they stand but for their imports, and runs one in a process of its own. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CLIENT = "#client/lib/legacy-client.ts";
const COMPILER_OPTIONS = {
  target: "es2023",
  lib: ["ES2023", "DOM"],
  module: "esnext",
  moduleResolution: "bundler",
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  noEmit: true,
};

/** Parts that the guide describes in words, with what must not compile. */
const MORE = `
import { io, type Socket } from "socket.io-client";
import {
  type ClientToServerEvents, LegacyClient, type ServerToClientEvents, type WSJobUpdate, wsClient,
} from "${CLIENT}";

const show = ({ job_id, status, progress, message, timestamp }: WSJobUpdate): string =>
  [job_id, status satisfies "PENDING" | "PROCESSING" | "DELIVERED" | "BLOCKED" | "ABORTED",
    progress.toFixed(), message, new Date(timestamp).toISOString()].join(" ");
wsClient.on("job:update", show);
wsClient.off("job:update", show);
wsClient.once("job:error", show);
wsClient.on("connection", ({ session_id }) => session_id.trim());
wsClient.on("subscribed", ({ job_id, batch_id }) => [job_id, batch_id]);
wsClient.on("batch:update", ({ total, completed }) => total - completed);
wsClient.on("connect", () => wsClient.connected);
wsClient.on("disconnect", (reason) => reason.length);
wsClient.on("connect_error", (error) => error.data?.code);
new LegacyClient("wss://jobs.example.com", { auth: { token: "t" }, reconnectionAttempts: 10 });
// @ts-expect-error: there is no such event
wsClient.on("job:updated", show);
// @ts-expect-error: a job's event has no total
wsClient.on("job:update", ({ total }) => total);
// @ts-expect-error: an id is a text
wsClient.subscribeToJob(1);

const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io("ws://localhost:8000");
socket.emit("subscribe:job", { job_id: "a" }, (answer) => answer.ok);
// @ts-expect-error: a batch has another field
socket.emit("subscribe:batch", { job_id: "a" });
// @ts-expect-error: there is no such event
socket.emit("subscribe", { job_id: "a" });
`;

let app: string;

beforeAll(async () => {
  // Within the repository, so that its imports are found.
  app = await mkdtemp(join(ROOT, "e2e", "legacy", "app-"));
  await write("tsconfig.json", JSON.stringify({ compilerOptions: COMPILER_OPTIONS }));
  await write("guide.ts", await guideProgram());
  await write("more.ts", MORE);
  const io = `import { io } from "socket.io-client";\n`;
  const settings = await textOf("settings-snippet.txt");
  await write(
    "settings.ts",
    `${io}const WS_URL = "ws://localhost:8000";\n${settings}export { socket };`,
  );
  const events = `${io.replace("io }", "io, type Socket }")}import type { ServerToClientEvents, ClientToServerEvents } from "${CLIENT}";\n`;
  const typed = (await textOf("console-snippet.txt")).replace(
    "const socket =",
    "const socket: Socket<ServerToClientEvents, ClientToServerEvents> =",
  );
  await write("console.ts", events + typed);
});
afterAll(() => rm(app, { recursive: true, force: true }));

const write = (file: string, text: string) => writeFile(join(app, file), text);
const textOf = (file: string) => readFile(new URL(file, import.meta.url), "utf8");
const guideProgram = async () =>
  (await textOf("client-snippet.txt")).replace("'@/lib/api/websocket'", `"${CLIENT}"`);

test("the guide's snippets compile in a strict app without Node's types, and events and payloads are typed", async () => {
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const output = await promisify(execFile)(process.execPath, [tsc, "--pretty", "false"], {
    cwd: app,
  }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
  expect(output).toBe("");
});

test.each([
  ["there is no `process`", "delete globalThis.process"],
  ["there are no variables", "globalThis.process = {}"],
  ["the address is empty", `process.env.NEXT_PUBLIC_WS_URL = ""`],
])("importing and using `wsClient` does not fail where %s", async (_where, before) => {
  const program = `
    const { log } = console;
    const { wsClient } = await import("${CLIENT}");
    ${before};
    wsClient.on("job:update", () => {});
    wsClient.subscribeToJob("a");
    log(wsClient.connected);
  `;
  const args = ["--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  expect(stdout).toBe("false\n");
});
