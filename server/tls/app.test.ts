/** A whole server that speaks TLS. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { connect, type Socket } from "node:net";
import { connect as connectSecurely, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { EventSource } from "eventsource";
import { pino } from "pino";
import { io } from "socket.io-client";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { createJobwireClient } from "#client/lib/client.ts";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { defineKind, delivered } from "#server/kinds/define.ts";
import { newTestData } from "#test/engine/data.fixture.ts";
import {
  createPair,
  type TestPair,
  tlsEnv,
  trust,
  writePair,
} from "#test/tls/certificate.fixture.ts";
import type { KeyPairFiles } from "./variables.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

let first: TestPair;
let second: TestPair;
beforeAll(async () => {
  first = await createPair({ name: "first" });
  second = await createPair({ name: "second" });
  trust(first, second);
  vi.stubGlobal("EventSource", EventSource);
});

/** Reports a step each time the test says so, and ends when it is cancelled. */
class Steps {
  #report: ((message: string) => Promise<void>) | undefined;

  readonly kind = defineKind({
    name: "steps",
    description: "Reports when it is told to.",
    input: z.object({}),
    output: z.unknown(),
    title: () => "Steps",
    start: { progress: 0, message: "Begun" },
    run: async ({ progress, signal }) => {
      this.#report = (message) => progress(50, message);
      await once(signal, "abort");
      return delivered("Done", null);
    },
  });

  async report(message: string): Promise<void> {
    const report = await vi.waitFor(() => this.#report ?? expect.fail("it does not run"));
    await report(message);
  }
}

async function start(env: Record<string, string> = {}) {
  const data = await newTestData();
  const files = await writePair(first);
  const steps = new Steps();
  const logged: { msg: string; code?: string }[] = [];
  const log = pino({ level: "debug" }, { write: (line) => void logged.push(JSON.parse(line)) });
  const settings = { PORT: "0", SHUTDOWN_GRACE_MS: "0", ...data.env, ...tlsEnv(files), ...env };
  const app = await createApp(loadConfig(settings), { log, kinds: [steps.kind] });
  onTestFinished(async () => {
    await app.close();
    await data.remove();
  });
  return { app, files, steps, logged, port: Number(new URL(app.url).port) };
}

function clientOf(app: App, transport: "ws" | "sse") {
  const client = createJobwireClient({ url: app.url, transport });
  onTestFinished(() => client.close());
  return client;
}

/** Returns the common name of the certificate that a new connection receives. */
async function nameAt(port: number, session?: Buffer): Promise<string> {
  const socket = connectSecurely({ port, host: "127.0.0.1", session });
  await once(socket, "secureConnect");
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

function rawConnection(port: number): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Resolves to the status of the answer. */
async function statusOf(app: App, headers: Record<string, string>): Promise<number | undefined> {
  const asked = request(`${app.url}/trpc/system.info`, { headers, agent: false }).end();
  const [res] = (await once(asked, "response")) as [IncomingMessage];
  res.resume();
  return res.statusCode;
}

async function replace(files: KeyPairFiles, pair: TestPair): Promise<void> {
  for (const name of ["cert", "key"] as const) {
    await writeFile(`${files[name]}.new`, pair[name]);
    await rename(`${files[name]}.new`, files[name]);
  }
}

test("[T1] [T2] every transport is served over TLS, and goes on while the certificate is replaced", async () => {
  const { app, files, steps, logged, port } = await start();
  expect(app.url).toMatch(/^https:\/\/localhost:\d+$/);
  expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
  const ws = clientOf(app, "ws");
  const { id: jobId } = await ws.trpc.job.create.mutate({ kind: "steps", input: {} });

  const shown = {
    ws: [] as string[],
    sse: [] as string[],
    socketio: [] as string[],
    polling: [] as string[],
  };
  for (const way of ["ws", "sse"] as const) {
    const client = way === "ws" ? ws : clientOf(app, way);
    const subscription = client.trpc.job.onUpdate.subscribe(
      { jobId },
      { onData: ({ data }) => void shown[way].push(data.message) },
    );
    onTestFinished(() => subscription.unsubscribe());
  }
  let connects = 0;
  for (const [way, transport] of [
    ["socketio", "websocket"],
    ["polling", "polling"],
  ] as const) {
    const socket = io(app.url, { transports: [transport], forceNew: true });
    onTestFinished(() => void socket.disconnect());
    socket.on("connect", () => (connects += 1));
    socket.on("job:update", ({ message }: { message: string }) => void shown[way].push(message));
    socket.emit("subscribe:job", { job_id: jobId });
  }
  const allShow = (message: string) =>
    vi.waitFor(() => {
      for (const messages of Object.values(shown)) expect(messages.at(-1)).toBe(message);
    });

  await steps.report("Before");
  await allShow("Before");
  expect(await nameAt(port)).toBe("first");
  await replace(files, second);
  await vi.waitFor(async () => expect(await nameAt(port)).toBe("second"));
  expect(logged.map(({ msg }) => msg)).toContain("New connections use the new certificate");
  await steps.report("After");
  await allShow("After");
  expect(connects).toBe(2);
  for (const messages of Object.values(shown)) {
    expect(messages.filter((message) => message === "Before")).toHaveLength(1);
  }
});

test("[T2] a client that resumes its TLS session receives the new certificate", async () => {
  const { files, port } = await start();
  const socket = connectSecurely({ port, host: "127.0.0.1", maxVersion: "TLSv1.2" });
  const [session] = (await once(socket, "session")) as [Buffer];
  socket.destroy();
  await replace(files, second);
  await vi.waitFor(async () => expect(await nameAt(port)).toBe("second"));
  expect(await nameAt(port, session)).toBe("second");
});

test("[T3] a new certificate without its key changes nothing, and is logged", async () => {
  const { files, logged, port } = await start();
  await writeFile(files.cert, second.cert);
  const warning = "The new certificate cannot be used; the old one stays in use";
  await vi.waitFor(() => expect(logged.map(({ msg }) => msg)).toContain(warning));
  expect(await nameAt(port)).toBe("first");
  await writeFile(files.key, second.key);
  await vi.waitFor(async () => expect(await nameAt(port)).toBe("second"));
});

test("[T3] files that cannot be used stop the start before the data is opened", async () => {
  const files = await writePair(first);
  await writeFile(files.key, second.key);
  const dataDir = `${files.dir}/data`;
  const env = { PORT: "0", DATA_DIR: dataDir, ...tlsEnv(files) };
  const started = promisify(execFile)(process.execPath, [MAIN], { env });
  await expect(started).rejects.toMatchObject({
    code: 78,
    stderr: expect.stringMatching(
      /^The configuration cannot be used:\n {2}TLS_KEY_FILE="[^"]+" is not the key of/,
    ),
  });
  expect(existsSync(dataDir)).toBe(false);
  await rm(files.cert);
  await expect(createApp(loadConfig(env))).rejects.toThrow(/TLS_CERT_FILE="[^"]+" does not exist/);
});

test("[H8] a page of http under the server's own name is a foreign page", async () => {
  const { app } = await start();
  const { host } = new URL(app.url);
  const agent = { "user-agent": "Mozilla/5.0" };
  expect(await statusOf(app, { ...agent, origin: `https://${host}` })).toBe(200);
  expect(await statusOf(app, { ...agent, origin: `http://${host}` })).toBe(403);
  // As python-socketio sends it.
  expect(await statusOf(app, { origin: `http://${host}` })).toBe(200);
});

test("[H5] connections without a handshake count as connections", async () => {
  const { port, app } = await start({ MAX_CONNECTIONS: "2" });
  const held = [rawConnection(port), rawConnection(port)];
  await Promise.all(held.map((socket) => once(socket, "connect")));
  const beyond = rawConnection(port);
  await once(beyond, "close");
  expect(held.map(({ closed }) => closed)).toEqual([false, false]);
  held[0]?.destroy();
  await vi.waitFor(async () => expect((await fetch(`${app.url}/healthz`)).status).toBe(200));
});

test("[H3] a client that does not read its stream is disconnected", async () => {
  const { port, app, steps, logged } = await start({ STALL_TIMEOUT_MS: "1000" });
  const { id: jobId } = await clientOf(app, "ws").trpc.job.create.mutate({
    kind: "steps",
    input: {},
  });
  const socket = connectSecurely({ port, host: "127.0.0.1" });
  let isClosed = false;
  socket.on("error", () => {}).on("close", () => (isClosed = true));
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  socket.pause();
  const input = encodeURIComponent(JSON.stringify({ json: { jobId, lastEventId: "0" } }));
  socket.write(`GET /trpc/job.onUpdate?input=${input} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const message = "x".repeat(2000);
  const isLogged = () => logged.some(({ msg }) => msg.startsWith("A client did not read"));
  while (!isLogged()) {
    await Promise.all(Array.from({ length: 100 }, () => steps.report(message)));
  }
  // It notices when it reads on.
  socket.resume();
  await vi.waitFor(() => expect(isClosed).toBe(true));
});

test("the server stops while clients are in the middle of their handshake", async () => {
  const { app, port, logged } = await start();
  const socket = rawConnection(port);
  await once(socket, "connect");
  const secure: TLSSocket = connectSecurely({ port, host: "127.0.0.1" });
  await once(secure, "secureConnect");
  secure.on("error", () => {});
  await app.close();
  expect(logged.map(({ code }) => code)).not.toContain("ERR_TLS_HANDSHAKE_TIMEOUT");
  await vi.waitFor(() => expect([socket.closed, secure.closed]).toEqual([true, true]));
});
