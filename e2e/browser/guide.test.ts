/** The guide's browser program over wss, identified by the cookie of the person who is signed in to the page. */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import {
  consoleProgram,
  GUIDE_LINES,
  LINES,
  openUser,
  settingsProgram,
} from "#e2e/legacy/signed-in-programs.ts";
import { type RunningServer, startServer } from "#e2e/server.ts";
import type { LegacyBatchPayload, LegacyJobPayload } from "#shared/legacy.ts";
import { createPair, tlsEnv, trust, writeLastingPair } from "#test/tls/certificate.fixture.ts";
import { SECRET, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { launchBrowser } from "./browser.ts";

const WAIT = { timeout: 120_000 };
const UNKNOWN = "00000000-0000-7000-8000-000000000000";

type Line = [label: string, what?: unknown];
type Way = "websocket" | "polling";

let removePair: () => Promise<void>;
let server: RunningServer;
let browser: Browser;
/** A page of the same site and another origin, which the server lists. */
let listedOrigin: string;
let closeListed: () => void;

beforeAll(async () => {
  const pair = await createPair();
  trust(pair);
  const files = await writeLastingPair(pair);
  removePair = files.remove;
  const listed = createServer(pair, (_req, res) => {
    res.setHeader("Content-Type", "text/html").end("<!doctype html><title>An app</title>");
  });
  await new Promise<void>((resolve) => listed.listen(0, "127.0.0.1", resolve));
  closeListed = () => listed.close();
  listedOrigin = `https://localhost:${(listed.address() as AddressInfo).port}`;
  const env = {
    ...tlsEnv(files),
    // The server fetches its own sample pages.
    NODE_EXTRA_CA_CERTS: files.cert,
    OFFLINE_PACE_MS: "20",
    SHUTDOWN_GRACE_MS: "500",
    AUTH_JWT_SECRET: SECRET,
    CORS_ORIGINS: listedOrigin,
  };
  server = await startServer({ env });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.stop();
  closeListed();
  await removePair();
});

/** Each way in which the guide's program reaches the server. All but the last change the URL and nothing else. */
const WAYS = [
  {
    how: "from the server's page, polling first",
    page: "own",
    way: "websocket",
    programOf: (jobId: string) => consoleProgram(server, LINES.OWN_PAGE, jobId),
  },
  {
    how: "from the server's page, without WebSockets",
    page: "own",
    way: "polling",
    programOf: (jobId: string) => consoleProgram(server, LINES.OWN_PAGE, jobId),
  },
  {
    how: "from the server's page, WebSocket first",
    page: "own",
    way: "websocket",
    programOf: (jobId: string) => settingsProgram(server, jobId),
  },
  {
    how: "from a listed page, WebSocket first",
    page: "listed",
    way: "websocket",
    programOf: (jobId: string) => settingsProgram(server, jobId),
  },
  {
    how: "from a listed page that asks for credentials, without WebSockets",
    page: "listed",
    way: "polling",
    programOf: (jobId: string) => consoleProgram(server, LINES.OTHER_ORIGIN, jobId),
  },
] as const;

/** Those on which connections differ: what comes after the first one is the same. */
const LASTING = WAYS.slice(1, 4);

/** From the guide's part about batches, and from docs/clients.md about refusals. */
const MORE = `
  socket.on("batch:update", (data) => console.log("Batch:", data));
  socket.on("subscription:error", (data) => console.error("Not subscribed:", data));
  socket.on("connect_error", (error) => console.error("Refused:", error.data?.code));
`;

/** Signs the user in on the server's page, and opens the page of the program. */
async function openPage(user: string, { page: whose, way }: { page: string; way: Way }) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  onTestFinished(() => context.close());
  await context.addInitScript(() => {
    const lines: unknown[] = [];
    Object.assign(globalThis, { lines });
    for (const name of ["log", "error"] as const) {
      console[name] = (...args: unknown[]) => void lines.push(args);
    }
  });
  const page = await context.newPage();
  let opened = 0;
  page.on("websocket", () => (opened += 1));
  if (way === "polling") await page.routeWebSocket(/\/socket\.io\//, (socket) => socket.close());
  // With the cookies of the page, and as one of the server's own pages.
  const send = async (path: string, data: object) => {
    const options = { headers: { origin: server.url }, data };
    return (await context.request.post(server.url + path, options)).status();
  };
  const signIn = async () =>
    expect(await send("/auth/sign-in", { token: await tokenFor(user) })).toBe(200);
  await signIn();
  await page.goto(whose === "own" ? `${server.url}/samples/` : listedOrigin);
  await page.addScriptTag({ url: `${server.url}/socket.io/socket.io.js` });
  const developerTools = await context.newCDPSession(page);

  return {
    /** Runs a program as the console of the page does. Resolves to its value, if that is no object. */
    async run(expression: string): Promise<unknown> {
      const answer = await developerTools.send("Runtime.evaluate", { expression });
      expect(answer.exceptionDetails).toBeUndefined();
      return answer.result.value as unknown;
    },
    lines: () => page.evaluate<Line[]>("lines"),
    async labelled<T>(label: string): Promise<T[]> {
      const lines = await page.evaluate<Line[]>("lines");
      return lines.filter(([each]) => each === label).map(([, what]) => what as T);
    },
    signIn,
    signOut: async () => expect(await send("/auth/sign-out", {})).toBe(200),
    webSockets: () => opened,
  };
}

type ProgramPage = Awaited<ReturnType<typeof openPage>>;

/** An article of the user that waits for a decision, and the program in each of the ways, which shows that. */
async function runPrograms(user: string, ways: readonly (typeof WAYS)[number][]) {
  const person = await openUser(server, user);
  const jobId = await person.createUndecided();
  await vi.waitFor(async () => expect(await person.statusOf(jobId)).toBe("BLOCKED"), WAIT);
  const programs = await Promise.all(
    ways.map(async (way) => {
      const page = await openPage(user, way);
      await page.run(way.programOf(jobId) + MORE);
      return { how: way.how, way: way.way, page };
    }),
  );
  for (const { how, page } of programs) {
    await vi.waitFor(
      async () =>
        expect(await page.labelled("Update:"), how).toMatchObject([
          { job_id: jobId, status: "BLOCKED", progress: 100 },
        ]),
      WAIT,
    );
  }
  return { person, jobId, programs };
}

async function seeStatus(
  { how, page }: { how: string; page: ProgramPage },
  status: string,
): Promise<void> {
  await vi.waitFor(
    async () => expect((await page.labelled("Update:")).at(-1), how).toMatchObject({ status }),
    WAIT,
  );
}

test("[L1] the documented line is the guide's, but for the URL", () => {
  const ofGuide = LINES.OWN_PAGE.replace("wss://jobs.example.com", "ws://localhost:8000")
    .replaceAll('"', "'")
    .replace(/;$/, "");
  expect(ofGuide).toBe(GUIDE_LINES.js);
});

test("[L1] [L2] [P4] [P11] the guide's program over wss receives, in each way, every event of its user's job and batch", async () => {
  const { person, jobId, programs } = await runPrograms("ann", WAYS);
  const before = (await person.logOf(jobId)).length;
  await person.trpc.job.regenerate.mutate({ jobId });
  await vi.waitFor(async () => expect(await person.statusOf(jobId)).toBe("BLOCKED"), WAIT);
  await person.trpc.job.approve.mutate({ jobId });
  for (const program of programs) await seeStatus(program, "DELIVERED");
  const log = (await person.logOf(jobId)).slice(before - 1);
  expect(log.length).toBeGreaterThan(6);
  for (const { how, page } of programs) {
    const shown = await page.labelled<LegacyJobPayload>("Update:");
    expect(
      shown.map(({ status, message }) => [status, message]),
      how,
    ).toEqual(log.map(({ status, message }) => [status, message]));
    expect((await page.lines()).at(-2), how).toEqual(["Completed:", shown.at(-1)]);
    expect(await page.labelled("Completed:"), how).toHaveLength(1);
  }

  const batchId = await person.createBatch();
  const bobs = await (await openUser(server, "bob")).createUndecided();
  for (const { page } of programs) {
    await page.run(`socket.emit("subscribe:batch", { batch_id: "${batchId}" })`);
    for (const id of [bobs, UNKNOWN]) {
      await page.run(`socket.emit("subscribe:job", { job_id: "${id}" })`);
    }
  }
  for (const { how, way, page } of programs) {
    await vi.waitFor(async () => {
      const [first, ...later] = await page.labelled<LegacyBatchPayload>("Batch:");
      expect(first, how).toMatchObject({ batch_id: batchId, total: 3 });
      expect([first, ...later].at(-1), how).toMatchObject({ completed: 3, progress: 100 });
    }, WAIT);
    await vi.waitFor(
      async () => expect(await page.labelled("Not subscribed:"), how).toHaveLength(2),
      WAIT,
    );
    const [foreign, unknown] = await page.labelled<{ job_id: string }>("Not subscribed:");
    expect(foreign, how).toMatchObject({ job_id: bobs, code: "NOT_FOUND" });
    expect(JSON.parse(JSON.stringify(foreign).replaceAll(bobs, UNKNOWN)), how).toEqual(unknown);

    expect(await page.labelled("Error:"), how).toEqual([]);
    expect(page.webSockets() > 0, how).toBe(way === "websocket");
    expect(await page.run("socket.io.engine.transport.name"), how).toBe(way);
  }
});

test("[L5] [P10] [P11] the guide's program over wss misses, in each way, nothing of a restart", async () => {
  const { person, jobId, programs } = await runPrograms("carl", LASTING);
  await server.restart();
  // Before the clients are back or after: they have to show the end either way.
  await person.trpc.job.approve.mutate({ jobId });
  for (const program of programs) {
    const { how, page } = program;
    await seeStatus(program, "DELIVERED");
    expect(await page.labelled("Completed:"), how).toHaveLength(1);
    expect(await page.labelled("Connected!"), how).toHaveLength(2);
    expect(await page.labelled("Not subscribed:"), how).toEqual([]);
    expect(await page.labelled("Error:"), how).toEqual([]);
  }
});

test("[P10] [P13] [L5] the guide's program over wss receives, in each way, nothing after its user signed out, and all of it after the next sign-in", async () => {
  const { person, jobId, programs } = await runPrograms("dora", LASTING);
  const shown: Line[][] = [];
  for (const { how, page } of programs) {
    await page.signOut();
    await vi.waitFor(
      async () => expect((await page.lines()).at(-1), how).toEqual(["Refused:", "UNAUTHENTICATED"]),
      WAIT,
    );
    expect(await page.run("socket.connected || socket.active"), how).toBe(false);
    shown.push(await page.lines());
  }
  await person.trpc.job.approve.mutate({ jobId });
  const lines = () => Promise.all(programs.map(({ page }) => page.lines()));
  expect(await lines()).toEqual(shown);

  for (const { page } of programs) await page.signIn();
  expect(await lines()).toEqual(shown);
  for (const program of programs) {
    await program.page.run("socket.connect()");
    await seeStatus(program, "DELIVERED");
    expect(await program.page.labelled("Completed:"), program.how).toHaveLength(1);
  }
});

test("[P11] from a listed page, polling first, the guide's program without credentials is refused", async () => {
  const page = await openPage("ann", { page: "listed", way: "websocket" });
  await page.run(consoleProgram(server, LINES.OWN_PAGE, UNKNOWN) + MORE);
  await vi.waitFor(
    async () => expect(await page.lines()).toEqual([["Refused:", "UNAUTHENTICATED"]]),
    WAIT,
  );
  expect(await page.run("socket.connected || socket.active")).toBe(false);
});
