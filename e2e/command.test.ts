/** The command `jobwire` in a process of its own: beside a running server, without one, and on Redis. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { io } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { newTestData, onRedis } from "#test/engine/data.fixture.ts";
import { killOnExit } from "#test/kill-on-exit.ts";
import { jobwire, JOBWIRE } from "./run-command.ts";
import { type RunningServer, startServer } from "./server.ts";

const READ = ["--tenant", "acme", "--user", "reports", "--scope", "jobs:read"];

/** A key and its id. */
async function newKey(env: Readonly<Record<string, string>>, args = READ) {
  const { out, err } = await jobwire(env, ["keys", "create", ...args, "--json"]);
  expect(err).toBe("");
  return JSON.parse(out) as { key: string; id: string };
}

/** A module that prints which Node loads it. */
async function sayingItsNode(folder: string): Promise<string> {
  const module = join(folder, "says-its-node.mjs");
  await writeFile(module, 'process.stdout.write("runs on " + process.execPath + "\\n");');
  return module;
}

interface Answer {
  code: string;
}

const askers: Record<string, (url: string, key: string) => Promise<Answer>> = {
  async "tRPC over HTTP"(url, key) {
    const response = await fetch(`${url}/trpc/job.list`, {
      headers: { Authorization: `Bearer ${key}` },
    });
    return codeIn(await response.text());
  },
  async "tRPC over WebSocket"(url, key) {
    const socket = new WebSocket(`${url.replace("http", "ws")}/trpc?connectionParams=1`);
    await once(socket, "open");
    const answered = once(socket, "message");
    socket.send(JSON.stringify({ method: "connectionParams", data: { token: key } }));
    socket.send(JSON.stringify({ id: 1, method: "query", params: { path: "job.list" } }));
    const [answer] = (await answered) as [Buffer];
    socket.terminate();
    return codeIn(answer.toString());
  },
  async "Socket.IO"(url, key) {
    const socket = io(url, { forceNew: true, reconnection: false, auth: { token: key } });
    const code = await new Promise<string>((resolve) => {
      socket.on("connect", () => resolve("ok"));
      socket.on("connect_error", (error) =>
        resolve((error as Error & { data: { code: string } }).data.code),
      );
    });
    socket.disconnect();
    return { code };
  },
};

function codeIn(answer: string): Answer {
  return { code: /"appCode":"(\w+)"/.exec(answer)?.[1] ?? "ok" };
}

/** The code on each transport. */
const everywhere = (code: string) =>
  new Set(Object.keys(askers).map((transport) => `${transport}: ${code}`));

describe("beside a running server", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({ env: { AUTH_API_KEYS: "true" } });
  });
  afterAll(() => server.stop());

  test("[P8] a key that the command made works on every transport, and not after it revoked it", async () => {
    const { key, id } = await newKey(server.env);
    const codes = async () => {
      const asked = Object.entries(askers).map(async ([transport, ask]) => {
        const { code } = await ask(server.url, key);
        return [transport, code] as const;
      });
      return new Set((await Promise.all(asked)).map((each) => each.join(": ")));
    };
    expect(await codes()).toEqual(everywhere("ok"));
    expect((await jobwire(server.env, ["keys", "revoke", id])).code).toBe(0);
    const refused = async () => expect(await codes()).toEqual(everywhere("UNAUTHENTICATED"));
    // On Redis the command is another process.
    await (onRedis ? vi.waitFor(refused) : refused());
  });

  test("[P8] without a key, and with the key of no one, every call is refused", async () => {
    for (const ask of Object.values(askers)) {
      expect(await ask(server.url, "")).toEqual({ code: "UNAUTHENTICATED" });
      expect(await ask(server.url, `jw_${"A".repeat(43)}`)).toEqual({ code: "UNAUTHENTICATED" });
    }
  });

  test("the list has the last use of a key, and the server's log has no key", async () => {
    const { key, id } = await newKey(server.env);
    await askers["tRPC over HTTP"]?.(server.url, key);
    await vi.waitFor(async () => {
      const { out } = await jobwire(server.env, ["keys", "list", "--json"]);
      const records = out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { id: string; lastUsedAt: string | null });
      const lastUsedAt = records.find((record) => record.id === id)?.lastUsedAt;
      expect(Date.parse(lastUsedAt ?? "")).toBeGreaterThan(0);
    });
    expect(server.output()).not.toContain(key);
  });

  test("[P17] the audit list has the keys that the command made and revoked", async () => {
    const { id } = await newKey(server.env);
    await jobwire(server.env, ["keys", "revoke", id]);
    const { out } = await jobwire(server.env, ["audit", "--tenant", "acme", "--limit", "2"]);
    expect(out).toMatch(RegExp(`command +key.revoke +${id} .*\\n.*command +key.create +${id} `));
  });

  test.skipIf(onRedis)("[P9] nothing of the control socket is reachable over TCP", async () => {
    expect((await stat(join(server.dataDir, "control.sock"))).mode & 0o777).toBe(0o600);
    const { key } = await newKey(server.env, [...READ, "operator", "admin"]);
    for (const path of ["/v1/keys.list", "/v1/keys.create", "/control/v1/keys.list"]) {
      const response = await fetch(`${server.url}${path}`, {
        method: "POST",
        headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
        body: JSON.stringify({ limit: 1 }),
      });
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(await response.text()).not.toContain("acme");
    }
  });

  test("[J11] the server keeps its data, and commands at the same time all succeed", async () => {
    const made = await Promise.all(Array.from({ length: 4 }, () => newKey(server.env)));
    const { out } = await jobwire(server.env, ["keys", "list", "--json"]);
    for (const { id } of made) expect(out).toContain(id);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });
});

test("a key that was made before the first start counts after it, and survives kill -9", async () => {
  const server = await startServer({ env: { AUTH_API_KEYS: "true" } });
  onTestFinished(() => server.stop());
  const ask = async (key: string) => askers["tRPC over HTTP"]?.(server.url, key);
  await server.kill("SIGTERM");
  const before = await newKey(server.env);
  await server.restart();
  expect(await ask(before.key)).toEqual({ code: "ok" });

  const revoked = await newKey(server.env);
  await jobwire(server.env, ["keys", "revoke", revoked.id]);
  await server.kill("SIGKILL");
  // The socket of the killed server lies there, and no server answers.
  const between = await newKey(server.env);
  await server.restart();
  expect(await Promise.all([before, between, revoked].map(({ key }) => ask(key)))).toEqual([
    { code: "ok" },
    { code: "ok" },
    { code: "UNAUTHENTICATED" },
  ]);
  // And the new server is reached.
  expect((await jobwire(server.env, ["keys", "revoke", between.id])).code).toBe(0);
});

test.skipIf(onRedis)(
  "a server whose data directory has too long a path serves, and a command says what to do",
  async () => {
    const data = await newTestData();
    onTestFinished(() => data.remove());
    const dataDir = join(data.env.DATA_DIR, "d".repeat(100));
    await mkdir(dataDir);
    const server = await startServer({ env: { DATA_DIR: dataDir } });
    onTestFinished(() => server.stop());
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect(server.output()).toContain("There is no control socket");
    const { code, err } = await jobwire(server.env, ["keys", "list"]);
    expect(code).toBe(1);
    expect(err).toMatch(
      /^error: .*is in use by another process.*Set DATA_DIR to a shorter path.*\n$/,
    );
    await server.kill("SIGTERM");
    expect(await jobwire(server.env, ["keys", "list"])).toMatchObject({ code: 0 });
    await server.restart();
  },
);

describe("the process", () => {
  test("is one that npx can execute", async () => {
    expect((await stat(JOBWIRE)).mode & 0o111).toBe(0o111);
  });

  test("runs on the pinned Node, whichever Node starts it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "jobwire-command-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const other = join(folder, "node");
    await copyFile(process.execPath, other);
    const data = await newTestData();
    onTestFinished(() => data.remove());
    const { code, out } = await jobwire(
      { ...data.env, NODE_OPTIONS: `--import=${await sayingItsNode(folder)}` },
      ["keys", "list"],
      { node: other },
    );
    expect({ code, ran: out.match(/^runs on .*$/gm) }).toEqual({
      code: 0,
      ran: [`runs on ${other}`, `runs on ${process.execPath}`],
    });
  });

  test("ends without an error when the reader of its output ends first", async () => {
    const data = await newTestData();
    onTestFinished(() => data.remove());
    for (let n = 0; n < 2; n++) await newKey(data.env);
    const child = spawn(process.execPath, [JOBWIRE, "keys", "list"], {
      env: data.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    killOnExit(child);
    child.stdout.destroy();
    const err = text(child.stderr);
    await once(child, "close");
    expect(await err).toBe("");
  });

  // Permissions do not restrict root.
  test.skipIf(onRedis || process.getuid?.() === 0)(
    "a control socket of another user has a clear answer",
    async () => {
      const server = await startServer();
      onTestFinished(() => server.stop());
      await chmod(join(server.dataDir, "control.sock"), 0);
      const { code, err } = await jobwire(server.env, ["keys", "list"]);
      expect({ code, err }).toEqual({
        code: 1,
        err: expect.stringContaining("Run the command as the user that runs the server") as string,
      });
    },
  );
});
