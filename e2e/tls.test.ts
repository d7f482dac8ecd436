/** The program with TLS, and the programs that are told to trust it: Python's clients, and the image's health check. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createTRPCClient, httpLink } from "@trpc/client";
import superjson from "superjson";
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from "vitest";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import {
  createPair,
  type TestPair,
  tlsEnv,
  trust,
  writeLastingPair,
} from "#test/tls/certificate.fixture.ts";
import { runPython, runStrict, STRICT_KINDS, TRUSTING } from "./legacy/python.ts";
import { type RunningServer, startServer } from "./server.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const GUIDE = new URL("legacy/guide.py", import.meta.url);
const WAIT = { timeout: 120_000 };

let pair: TestPair;
let files: Awaited<ReturnType<typeof writeLastingPair>>;
let server: RunningServer;
beforeAll(async () => {
  pair = await createPair();
  trust(pair);
  files = await writeLastingPair(pair);
  const env = { ...tlsEnv(files), NODE_EXTRA_CA_CERTS: files.cert, OFFLINE_PACE_MS: "100" };
  server = await startServer({ env });
});
afterAll(async () => {
  await server.stop();
  await files.remove();
});

async function createArticle({ url }: RunningServer): Promise<string> {
  const trpc = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${url}/trpc`, transformer: superjson })],
  });
  const input = {
    publisherDomain: `${new URL(url).host}/samples/publisher/`,
    targetUrl: `${url}/samples/target/`,
    anchorText: "self-watering planters",
  };
  const { id } = await trpc.job.create.mutate({ kind: "article", input });
  return id;
}

function python(args: readonly string[], env: Record<string, string>) {
  const program = runPython(inject("python"), args, env);
  onTestFinished(() => program.end());
  return program;
}

test("[T1] python-socketio's clients, over each transport, watch a job over TLS", async () => {
  const jobId = await createArticle(server);
  const clients = (["websocket", "polling"] as const).map((transport) => ({ jobId, transport }));
  const programs = STRICT_KINDS.flatMap((kind) => {
    const env = TRUSTING[kind](files.cert);
    const running = runStrict(inject("python"), kind, { url: server.url, clients, env });
    onTestFinished(() => running[0]?.end());
    return running;
  });
  for (const program of programs) {
    await vi.waitFor(() => {
      expect(program.lines.join("\n"), program.stderr()).toMatch(/"job:update".*"progress": 100/);
    }, WAIT);
  }
});

test("[T1] python-socketio refuses a certificate that it was not told to trust", async () => {
  const program = `import socketio; socketio.Client().connect("${server.url}")`;
  const client = python(["-c", program], {});
  await vi.waitFor(() => expect(client.stderr()).toContain("ConnectionError"), WAIT);
});

test("[T1] the guide's Python program needs one more argument where it cannot check the certificate", async () => {
  const jobId = await createArticle(server);
  const program = (await readFile(GUIDE, "utf8"))
    .replace("your-job-id", jobId)
    .replace("http://localhost:8000", server.url)
    .replace("socketio.Client()", "socketio.Client(ssl_verify=False)");
  const guide = python(["-c", program], {});
  await vi.waitFor(() => expect(guide.lines.join("\n")).toContain("Job completed: "), WAIT);
});

test("the image's health check speaks TLS where the server does", async () => {
  const dockerfile = readFileSync(new URL("../deploy/Dockerfile", import.meta.url), "utf8");
  const [, command = ""] = /^HEALTHCHECK [^\n]*\\\n *CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  const [, ...args] = JSON.parse(command) as string[];
  const check = (server: RunningServer, env: Record<string, string>) =>
    promisify(execFile)(process.execPath, args, {
      cwd: ROOT,
      env: { PORT: new URL(server.url).port, ...env },
    });
  await check(server, tlsEnv(files));
  await expect(check(server, {})).rejects.toMatchObject({ code: 1 });
  const plain = await startServer();
  onTestFinished(() => plain.stop());
  await check(plain, {});
  await plain.kill("SIGKILL");
  await expect(check(plain, {})).rejects.toMatchObject({ code: 1 });
});
