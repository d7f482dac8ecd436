/** The program from an operator's view: exit codes, signals, and errors at start. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Pages, startPages } from "./pages.ts";
import { type RunningServer, startServer } from "./server.ts";
import { openTerminal } from "./terminal.ts";

const MAIN = fileURLToPath(new URL("../server/main.ts", import.meta.url));

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "jobwire-program-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

/** Runs a program whose start fails, until it exits. */
async function run(env: Record<string, string>): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [MAIN], {
    env: { DATA_DIR: dir, PORT: "0", LOG_LEVEL: "silent", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const stderr = text(child.stderr);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr: await stderr };
}

/** A single line that names the directory and the variable to set. */
const refusalOf = (path: string) => ({
  code: 1,
  stderr: expect.stringMatching(new RegExp(`^${path}.*Set DATA_DIR to a directory.*\\n$`)),
});

async function post(url: string, path: string, input: unknown): Promise<{ id: string }> {
  const response = await fetch(`${url}/trpc/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ json: input }),
  });
  const { result } = (await response.json()) as { result: { data: { json: never } } };
  return result.data.json;
}

describe("a start that fails", () => {
  test("an invalid configuration exits with 78 and prints a line for each variable", async () => {
    const { code, stderr } = await run({ PORT: "many", CONCURRENCY: "0", CONCURENCY: "3" });
    expect(code).toBe(78);
    const lines = stderr.trim().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[1]).toContain('PORT="many" must be a whole number');
    expect(lines[2]).toContain('CONCURRENCY="0" must be');
    expect(lines[3]).toContain("did you mean CONCURRENCY?");
  });

  test("the error for a port in use names it and says what to do", async () => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await once(blocker, "listening");
    const port = String((blocker.address() as AddressInfo).port);
    const { code, stderr } = await run({ PORT: port });
    blocker.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`Port ${port}`);
    expect(stderr).toContain("PORT");
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("[J11] the error for data in use names it, and the other process goes on", async () => {
    const first = await startServer();
    try {
      const { code, stderr } = await run({ DATA_DIR: first.dataDir });
      expect(code).toBe(1);
      expect(stderr).toContain(first.dataDir);
      expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
    } finally {
      await first.stop();
    }
  });

  test("[J12] the error for a data directory that is a file names it", async () => {
    const file = join(dir, "file");
    await writeFile(file, "");
    expect(await run({ DATA_DIR: file })).toEqual(refusalOf(file));
    expect(await run({ DATA_DIR: join(file, "data") })).toEqual(refusalOf(join(file, "data")));
  });

  test("[J12] the error for a data directory that is a broken link names it", async () => {
    const link = join(dir, "link");
    await symlink(join(dir, "gone"), link);
    expect(await run({ DATA_DIR: link })).toEqual(refusalOf(link));
  });

  test.skipIf(!existsSync("/proc/self"))(
    "[J12] the error for a data directory that cannot be created names it, and the start does not hang",
    async () => {
      expect(await run({ DATA_DIR: "/proc/nope" })).toEqual(refusalOf("/proc/nope"));
      // /proc exists, and not even root can write to it.
      expect(await run({ DATA_DIR: "/proc" })).toEqual(refusalOf("/proc"));
    },
  );

  // Permissions do not restrict root.
  test.skipIf(process.getuid?.() === 0)(
    "[J12] the error for a data directory without write permission names it",
    async () => {
      const closed = join(dir, "closed");
      await mkdir(closed, { mode: 0o500 });
      expect(await run({ DATA_DIR: closed })).toEqual(refusalOf(closed));
      expect(await run({ DATA_DIR: join(closed, "data") })).toEqual(
        refusalOf(join(closed, "data")),
      );
    },
  );
});

describe("signals", () => {
  let pages: Pages;
  let server: RunningServer;

  beforeEach(async () => {
    pages = await startPages();
    server = await startServer({
      env: { ...pages.env, OFFLINE_PACE_MS: "0", SHUTDOWN_GRACE_MS: "60000" },
    });
  });

  afterEach(async () => {
    await server.stop();
    await pages.close();
  });

  const article = () => ({
    kind: "article",
    input: {
      publisherDomain: pages.host,
      targetUrl: pages.targetUrl,
      anchorText: "self-watering planters",
    },
  });

  async function jobIs(id: string): Promise<{ status: string; attempt: number; retries: number }> {
    const input = encodeURIComponent(JSON.stringify({ json: { jobId: id } }));
    const response = await fetch(`${server.url}/trpc/job.get?input=${input}`);
    const { result } = (await response.json()) as { result: { data: { json: never } } };
    return result.data.json;
  }

  const becomes = (id: string, status: string) =>
    vi.waitFor(async () => expect(await jobIs(id)).toMatchObject({ status }), { timeout: 120_000 });

  const isStopping = () =>
    vi.waitFor(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(503));

  async function startedJob(): Promise<string> {
    pages.hold();
    const { id } = await post(server.url, "job.create", article());
    await becomes(id, "PROCESSING");
    return id;
  }

  test("[J10] SIGTERM lets a running job finish, then exits with 0", async () => {
    const id = await startedJob();
    const ended = server.kill("SIGTERM");
    await isStopping();
    await vi.waitFor(() =>
      expect(server.output()).toContain(
        '"msg":"stopping: waiting up to 60 s for 1 job; send SIGTERM again to stop now"',
      ),
    );
    pages.release();
    expect(await ended).toBe(0);
    expect(server.output()).toContain('"msg":"stopped: 1 job finished"');
    await server.restart();
    expect(await jobIs(id)).toMatchObject({ status: "DELIVERED", attempt: 1 });
  });

  test("[J10] at a terminal, Ctrl-C prints at once which jobs it waits for, and later their outcome", async () => {
    pages.hold();
    const terminal = openTerminal({
      ...pages.env,
      SHUTDOWN_GRACE_MS: "1000",
      DATA_DIR: dir,
    });
    const url = await terminal.sees(/Jobwire is at (\S+)/);
    await post(url, "job.create", article());
    await terminal.sees(/job started/);
    terminal.press("\x03");
    await terminal.sees(
      /^ {2}stopping: waiting up to 1 s for 1 job; press Ctrl-C again to stop now\r?$/m,
    );
    await terminal.sees(/^ {2}stopped: 1 job released, to continue after the next start\r?$/m);
    expect(await terminal.ended).toBe(0);
  });

  test("a second signal exits at once, and the job runs again after the next start", async () => {
    const id = await startedJob();
    const ended = server.kill("SIGTERM");
    await isStopping();
    expect(await server.kill("SIGINT")).toBe(130);
    await ended;
    pages.release();
    await server.restart();
    await becomes(id, "DELIVERED");
    expect(await jobIs(id)).toMatchObject({ attempt: 2, retries: 1 });
  });
});
