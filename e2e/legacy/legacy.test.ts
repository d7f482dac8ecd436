import { readFile } from "node:fs/promises";
import { runInNewContext } from "node:vm";
import { createTRPCClient, httpLink } from "@trpc/client";
import { io, type Socket } from "socket.io-client";
import superjson from "superjson";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { wsClient } from "#client/lib/legacy-client.ts";
import { type Pages, startPages } from "#e2e/pages.ts";
import { type RunningServer, startServer } from "#e2e/server.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import type { LegacyJobPayload } from "#shared/legacy.ts";
import { type PythonProgram, runPython, runStrict, STRICT_KINDS } from "./python.ts";

/** Matches the last line, an update at 100 %. `job:completed` comes before it, with the same progress. */
const DELIVERED_UPDATE = /^\["job:update".*"progress": 100/;
const textOf = (file: string) => readFile(new URL(file, import.meta.url), "utf8");

let pages: Pages;
let server: RunningServer;
const leave: (() => unknown)[] = [];

beforeAll(async () => {
  pages = await startPages();
  // A held page holds its job, so a shutdown gives the job back at once.
  const env = { ...pages.env, OFFLINE_PACE_MS: "0", SHUTDOWN_GRACE_MS: "500" };
  server = await startServer({ env });
});
afterEach(async () => {
  pages.release();
  for (const each of leave.splice(0)) await each();
});
afterAll(async () => {
  await server.stop();
  await pages.close();
});

/** Creates an article that waits for its pages until `pages.release()`. */
async function createHeldJob(): Promise<string> {
  pages.hold();
  const trpc = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${server.url}/trpc`, transformer: superjson })],
  });
  const input = {
    publisherDomain: pages.host,
    targetUrl: pages.targetUrl,
    anchorText: "self-watering planters",
  };
  const { id } = await trpc.job.create.mutate({ kind: "article", input });
  return id;
}

function python(args: readonly string[]): PythonProgram {
  const program = runPython(inject("python"), args);
  leave.push(() => program.end());
  return program;
}

const WAIT = { timeout: 120_000 };

describe("the guide's programs", () => {
  test("[L1] the guide's console snippet works unchanged", async () => {
    const jobId = await createHeldJob();
    const snippet = (await textOf("console-snippet.txt")).replace("your-job-id-here", jobId);
    const lines: [string, unknown][] = [];
    const sockets: Socket[] = [];
    runInNewContext(snippet, {
      io(url: string) {
        expect(url).toBe("ws://localhost:8000");
        const socket = io(server.url.replace("http", "ws"));
        sockets.push(socket);
        leave.push(() => socket.close());
        return socket;
      },
      console: {
        log: (label: string, what: unknown) => lines.push([label, what]),
        error: (label: string, what: unknown) => lines.push([label, what]),
      },
    });
    await vi.waitFor(() => expect(lines.some(([label]) => label === "Update:")).toBe(true), WAIT);
    pages.release();
    await vi.waitFor(
      () => expect(lines.at(-1)).toMatchObject(["Update:", { status: "DELIVERED", progress: 100 }]),
      WAIT,
    );
    expect(lines[0]).toEqual(["Connected!", sockets[0]?.id]);
    expect(lines.at(-2)).toEqual(["Completed:", lines.at(-1)?.[1]]);
    expect(lines.map(([label]) => label)).not.toContain("Error:");
  });

  test("[L1] the guide's client example works unchanged with Jobwire's `wsClient`", async () => {
    const jobId = await createHeldJob();
    const snippet = await textOf("client-snippet.txt");
    const [head = "", rest = ""] = snippet.replaceAll("job-123-456", jobId).split("// Unsubscribe");
    vi.stubEnv("NEXT_PUBLIC_WS_URL", server.url.replace("http", "ws"));
    leave.push(() => vi.unstubAllEnvs());
    leave.push(() => wsClient.disconnect());
    const lines: [string, LegacyJobPayload][] = [];
    const log = (label: string, data: LegacyJobPayload) => lines.push([label, data]);
    const scope = { wsClient, console: { log, error: log } };
    // The snippet imports the app's own module, which exports `wsClient`.
    runInNewContext(head.replace(/^import .*/, ""), scope);
    await vi.waitFor(() => expect(lines.at(-1)?.[0]).toBe("Job update:"), WAIT);
    pages.release();
    await vi.waitFor(
      () => expect(lines.at(-1)).toMatchObject(["Job update:", { status: "DELIVERED" }]),
      WAIT,
    );
    expect(lines.at(-2)).toEqual(["Job completed:", lines.at(-1)?.[1]]);
    runInNewContext(`// Unsubscribe${rest}`, scope);
    const metrics = async () => (await fetch(`${server.url}/metrics`)).text();
    await vi.waitFor(async () => expect(await metrics()).toMatch(/^jobwire_watches 0$/m), WAIT);
  });

  test("[L1] [L3] the guide's Python program works unchanged", async () => {
    const jobId = await createHeldJob();
    const program = (await textOf("guide.py"))
      .replace("your-job-id", jobId)
      .replace("http://localhost:8000", server.url);
    const guide = python(["-c", program]);
    await vi.waitFor(() => expect(guide.lines.join("\n")).toContain("Job update:"), WAIT);
    pages.release();
    // python-socketio runs each handler in its own thread, and Python prints a line and its end separately, so neither the
    // order of the lines nor their ends are reliable.
    const told = (text: string) => guide.lines.join("\n").split(text).length - 1;
    await vi.waitFor(() => {
      expect(told("Job completed: ")).toBe(1);
      expect(told("'progress': 100")).toBe(2);
    }, WAIT);
    expect(guide.lines[0]).toBe("Connected!");
    expect(
      told(
        `Job completed: {'job_id': '${jobId}', 'status': 'DELIVERED', 'progress': 100, 'message': 'Article successfully generated and delivered', 'timestamp': '`,
      ),
    ).toBe(1);
    expect(guide.stderr()).toBe("");
  });
});

interface Watching extends PythonProgram {
  /** For messages of assertions. */
  name: string;
}

/** Each client of python-socketio, over each choice of transports. */
function watch(jobId: string): Watching[] {
  const clients = [undefined, "websocket" as const, "polling" as const].map((transport) => ({
    jobId,
    transport,
  }));
  return STRICT_KINDS.flatMap((kind) => {
    const programs = runStrict(inject("python"), kind, { url: server.url, clients });
    leave.push(() => programs[0]?.end());
    return programs.map((program, index) => ({
      get lines() {
        return program.lines;
      },
      stderr: program.stderr,
      end: program.end,
      name: `${kind} over ${clients[index]?.transport ?? "polling, then websocket"}`,
    }));
  });
}

/** Resolves once each client received the state of an article that waits for its pages. */
async function watchHeldJob(): Promise<Watching[]> {
  const clients = watch(await createHeldJob());
  await vi.waitFor(() => {
    for (const { name, lines } of clients) expect(lines.at(-1), name).toContain("PROCESSING");
  }, WAIT);
  return clients;
}

function seeTheEnd(clients: readonly Watching[]): Promise<void> {
  return vi.waitFor(() => {
    for (const { name, lines } of clients) expect(lines.at(-1), name).toMatch(DELIVERED_UPDATE);
  }, WAIT);
}

describe("python-socketio, both clients over each transport", () => {
  test("[L1] [L2] [L3] sees all events of a job in order, each as exactly one argument", async () => {
    const clients = await watchHeldJob();
    pages.release();
    await seeTheEnd(clients);
    for (const { name, lines, stderr } of clients) {
      const told = lines.map((line) => JSON.parse(line) as [string, LegacyJobPayload]);
      const names = told.map(([event]) => event);
      expect(names.slice(0, 4), name).toEqual([
        "connect",
        "connection",
        "subscribed",
        "job:update",
      ]);
      expect(names.slice(-2), name).toEqual(["job:completed", "job:update"]);
      expect(new Set(names.slice(4, -2)), name).toEqual(new Set(["job:update"]));
      const progress = told.slice(3).map(([, payload]) => payload.progress);
      expect(progress, name).toEqual(progress.toSorted((a, b) => a - b));
      expect(progress.length, name).toBeGreaterThan(4);
      expect(stderr(), name).toBe("");
    }
  });

  test.each([
    ["the server was killed", "SIGKILL", /(?:)/],
    ["a restart during an idle subscription", "SIGTERM", /^$/],
  ] as const)(
    "[S4] [S6] reconnects after %s and receives the current state",
    async (_how, signal, pattern) => {
      const clients = await watchHeldJob();
      await server.kill(signal);
      pages.release();
      await server.restart();
      await seeTheEnd(clients);
      for (const { name, lines, stderr } of clients) {
        const names = lines.map((line) => (JSON.parse(line) as [string])[0]);
        expect(
          names.filter((event) => event === "subscribed"),
          name,
        ).toHaveLength(2);
        expect(names.indexOf("disconnect"), name).toBeLessThan(names.lastIndexOf("connection"));
        expect(names.slice(-2), name).toEqual(["job:completed", "job:update"]);
        expect(stderr(), name).toMatch(pattern);
      }
    },
  );

  test("[S4] [S6] reconnects after a restart while events flow", async () => {
    const clients = await watchHeldJob();
    pages.release();
    await server.restart();
    await seeTheEnd(clients);
    for (const { name, stderr } of clients) expect(stderr(), name).toBe("");
  });
});

test("clients of both languages reconnect after a restart with SIGTERM", async () => {
  const jobId = await createHeldJob();
  const [strict] = runStrict(inject("python"), "Client", {
    url: server.url,
    clients: [{ jobId }],
  }) as [PythonProgram];
  leave.push(() => strict.end());
  const socket = io(server.url, { reconnectionDelay: 50, reconnectionDelayMax: 50 });
  leave.push(() => socket.close());
  const statuses: string[] = [];
  const reasons: string[] = [];
  socket.on("connect", () => socket.emit("subscribe:job", { job_id: jobId }));
  socket.on("disconnect", (reason) => reasons.push(reason));
  socket.on("job:update", ({ status }: LegacyJobPayload) => statuses.push(status));
  await vi.waitFor(() => {
    expect(statuses).toContain("PROCESSING");
    expect(strict.lines.at(-1)).toContain("PROCESSING");
  }, WAIT);
  // The job may finish before the server stops or after it is back; both clients must receive its end.
  const stopping = server.restart();
  pages.release();
  await stopping;
  await vi.waitFor(() => {
    expect(statuses.at(-1)).toBe("DELIVERED");
    expect(strict.lines.at(-1)).toContain("DELIVERED");
  }, WAIT);
  await vi.waitFor(() => expect(reasons).toHaveLength(1), WAIT);
  expect(reasons[0]).not.toBe("io server disconnect");
  expect(strict.stderr()).toBe("");
});
