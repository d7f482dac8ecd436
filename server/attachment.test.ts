/** Jobwire inside another program's HTTP server: from the call of `attach` to what is left after `close`. */
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import type { Encoder } from "@trpc/client";
import { EventSource } from "eventsource";
import { Server as SocketIoServer } from "socket.io";
import { io } from "socket.io-client";
import * as parser from "socket.io-msgpack-parser";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { z } from "zod";
import { createJobwireClient } from "#client/lib/client.ts";
import type { ServerTypes } from "#shared/kind-types.ts";
import type { Principal } from "#shared/principal.ts";
import { isMultiProcess, newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { createPair, trust } from "#test/tls/certificate.fixture.ts";
import { msgpackEncoder } from "#test/transports/msgpack-encoder.ts";
import { SECRET, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { createJobwire, defineKind } from "./index.ts";

const ann: Principal = { userId: "ann", tenantId: "acme", scopes: ["*"] };

let data: TestData;
let report: ((message: string) => Promise<void>) | undefined;

beforeEach(async () => {
  data = await newTestData({ isBare: true });
  report = undefined;
  vi.stubGlobal("EventSource", EventSource);
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await data.remove();
});

/** Reports a step each time the test says so, and ends when it is cancelled or given back. */
const steps = defineKind({
  name: "steps",
  input: z.object({}),
  output: z.null(),
  async run({ progress, signal }) {
    report = (message) => progress(50, message);
    await once(signal, "abort");
    return null;
  },
});
const kinds = [steps] as const;

async function step(message: string): Promise<void> {
  const running = await vi.waitUntil(() => report);
  await running(message);
}

function create(env: Record<string, string> = {}, at = data) {
  const jobwire = createJobwire({
    kinds,
    env: { ...at.env, LOG_LEVEL: "silent", SHUTDOWN_GRACE_MS: "0", ...env },
  });
  onTestFinished(async () => void (await jobwire.close()));
  return jobwire;
}

async function secondData(): Promise<TestData> {
  const second = await newTestData();
  onTestFinished(() => second.remove());
  return second;
}

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const scheme = "setSecureContext" in server ? "https" : "http";
  return `${scheme}://localhost:${(server.address() as AddressInfo).port}`;
}

const app = () => createServer((req, res) => res.end(`app ${req.url}`));

function clientOf<App extends ServerTypes>(
  url: string,
  options: { transport?: "ws" | "sse"; token?: string; encoder?: Encoder | undefined } = {},
) {
  const client = createJobwireClient<App>({ url, ...options });
  onTestFinished(() => client.close());
  return client;
}

const WAYS = [
  "socket.io over polling",
  "socket.io over websocket",
  "socket.io-msgpack over polling",
  "socket.io-msgpack over websocket",
  "sse",
  "ws",
  "ws in MessagePack",
];

/** Returns the ways in which clients have received the job so far. */
function watchEveryWay(base: string, jobId: string, token?: string) {
  const seen = new Set<string>();
  for (const [way, options] of [
    ["ws", { transport: "ws" }],
    ["ws in MessagePack", { transport: "ws", encoder: msgpackEncoder }],
    ["sse", { transport: "sse" }],
  ] as const) {
    const client = clientOf(base, { ...options, ...(token !== undefined && { token }) });
    client.trpc.job.onUpdate.subscribe({ jobId }, { onData: () => seen.add(way) });
  }
  const { origin, pathname } = new URL(base);
  for (const transport of ["websocket", "polling"]) {
    for (const [name, options] of [
      ["socket.io", {}],
      ["socket.io-msgpack", { parser }],
    ] as const) {
      const how = { path: `${pathname}/${name}`, transports: [transport], forceNew: true };
      const socket = io(origin, { ...how, ...options, auth: { token } });
      onTestFinished(() => void socket.disconnect());
      socket.on("job:update", () => seen.add(`${name} over ${transport}`));
      socket.on("connect", () => socket.emit("subscribe:job", { job_id: jobId }));
    }
  }
  return seen;
}

const textAt = async (url: string) => (await fetch(url)).text();

describe("before it is ready", () => {
  test("[E7] callers are told to try again, by all that arrives after the call", async () => {
    let attaching: Promise<void> | undefined;
    const jobwire = create();
    const server = createServer((_req, res) => {
      attaching = jobwire.attach(server, { basePath: "/jobs" });
      res.end("app");
    });
    const url = await listen(server);
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    let answer = "";
    socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
    const head = "HTTP/1.1\r\nHost: localhost\r\n";
    // Node hands out all three before anything else happens.
    socket.write(
      `GET /attach ${head}\r\nGET /jobs/trpc/system.info ${head}\r\n` +
        `GET /jobs/readyz ${head}Connection: close\r\n\r\n`,
    );
    await once(socket, "close");
    const [first, trpc, ready] = answer.split(/(?=HTTP\/1\.1 )/);
    expect(first).toContain("app");
    for (const text of [trpc, ready]) expect(text).toMatch(/^HTTP\/1\.1 503 .*Retry-After: 1/s);
    const error: unknown = JSON.parse(/\{.*\}/.exec(trpc ?? "")?.[0] ?? "");
    expect(error).toMatchObject({
      error: {
        json: { message: "Jobwire is starting. Try again.", data: { appCode: "UNAVAILABLE" } },
      },
    });
    await attaching;
    expect((await fetch(`${url}/jobs/readyz`)).status).toBe(200);
  });

  test("[E8] another one is refused the path at once, and opens nothing", async () => {
    const server = app();
    const [first, other] = [create(), create({}, await secondData())];
    const attaching = first.attach(server, { basePath: "/a" });
    for (const basePath of ["/a", "/a/b", "/"]) {
      await expect(other.attach(server, { basePath })).rejects.toThrow(
        'Another Jobwire has the path "/a"',
      );
    }
    await expect(first.attach(server, { basePath: "/b" })).rejects.toThrow("serves already");
    await attaching;
    await other.attach(server, { basePath: "/b" });
    const url = await listen(server);
    for (const path of ["/a/readyz", "/b/readyz"]) {
      expect((await fetch(url + path)).status).toBe(200);
    }
    await first.close();
    expect((await fetch(`${url}/a/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/b/readyz`)).status).toBe(200);
  });

  test("[E5] [E7] it may be closed: the call rejects, and the path stays closed", async () => {
    const server = app();
    const url = await listen(server);
    const jobwire = create();
    const attaching = jobwire.attach(server, { basePath: "/jobs" });
    const closing = jobwire.close();
    await expect(attaching).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(await closing).toEqual({ finished: 0, givenBack: 0 });
    expect(await textAt(`${url}/jobs/x`)).toContain("Jobwire is closed.");
    await expect(jobwire.attach(server, { basePath: "/other" })).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    expect(await textAt(`${url}/other`)).toBe("app /other");
  });

  test("[E5] it may be starting already, and take commands", async () => {
    const server = app();
    const url = await listen(server);
    const jobwire = create();
    const [, , list] = await Promise.all([
      jobwire.start(),
      jobwire.attach(server, { basePath: "/jobs" }),
      jobwire.jobs.list(ann),
    ]);
    expect(list.items).toEqual([]);
    expect((await fetch(`${url}/jobs/readyz`)).status).toBe(200);
  });

  test.skipIf(isMultiProcess)(
    "[E7] a start that fails gives the path back, and can be tried again",
    async () => {
      const server = app();
      const url = await listen(server);
      const [owner, jobwire] = [create(), create()];
      await owner.start();
      await expect(jobwire.attach(server, { basePath: "/jobs" })).rejects.toMatchObject({
        code: "DATA_UNUSABLE",
      });
      expect(await textAt(`${url}/jobs/x`)).toBe("app /jobs/x");
      await owner.close();
      await jobwire.attach(server, { basePath: "/jobs" });
      expect((await fetch(`${url}/jobs/readyz`)).status).toBe(200);
    },
  );
});

describe("at its close", () => {
  test.each(["ws", "sse"] as const)(
    "[E7] watches over %s go on at the next one at that path",
    async (transport) => {
      const server = app();
      const url = await listen(server);
      const first = create();
      await first.attach(server, { basePath: "/jobs" });
      const client = clientOf<typeof first>(`${url}/jobs`, { transport });
      const { id } = await client.kinds.steps.create({});
      const seen: string[] = [];
      client.trpc.job.onUpdate.subscribe(
        { jobId: id },
        { onData: ({ data: { message } }) => void seen.push(message) },
      );
      await step("in the first");
      await vi.waitFor(() => expect(seen).toContain("in the first"));
      report = undefined;
      await first.close();
      expect((await fetch(`${url}/jobs/readyz`)).status).toBe(503);
      const next = create();
      await next.attach(server, { basePath: "/jobs" });
      // The lease of a job that was given back has no time to end.
      await step("in the next");
      await vi.waitFor(() => expect(seen).toContain("in the next"));
      expect(seen.filter((message) => message === "in the first")).toHaveLength(1);
    },
  );

  test("a request of the program that is under way is answered, on a connection that stays", async () => {
    let answer: (() => void) | undefined;
    const server = createServer((_req, res) => {
      if (answer === undefined) answer = () => res.end("late");
      else res.end("more");
    });
    const url = await listen(server);
    const jobwire = create();
    await jobwire.attach(server, { basePath: "/jobs" });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    let text = "";
    socket.setEncoding("utf8").on("data", (part: string) => (text += part));
    socket.write("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await vi.waitFor(() => expect(answer).toBeDefined());
    await jobwire.close();
    answer?.();
    await vi.waitFor(() => expect(text).toContain("late"));
    socket.write("GET /more HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await vi.waitFor(() => expect(text).toContain("more"));
    socket.write("GET /jobs/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await vi.waitFor(() => expect(text).toContain("Jobwire is closed."));
  });

  test("[E9] the program's server closes, although clients were connected in every way", async () => {
    const server = app();
    const url = await listen(server);
    const jobwire = create();
    await jobwire.attach(server, { basePath: "/jobs" });
    const { id } = await clientOf<typeof jobwire>(`${url}/jobs`).kinds.steps.create({});
    const seen = watchEveryWay(`${url}/jobs`, id);
    await step("begun");
    await vi.waitFor(() => expect([...seen].toSorted()).toEqual(WAYS));
    const closed = once(server, "close");
    server.close();
    await jobwire.close();
    await closed;
  });

  test("[E5] it may be after the server's, or that of a server that never listened", async () => {
    const server = app();
    const jobwire = create();
    await listen(server);
    await jobwire.attach(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await jobwire.close()).toEqual({ finished: 0, givenBack: 0 });
    const never = create();
    await never.attach(createServer());
    expect(await never.close()).toEqual({ finished: 0, givenBack: 0 });
    expect(never.close()).toBe(never.close());
  });
});

describe("beside others", () => {
  test("[E1] a WebSocket server of the program keeps its path, and its connections after the close", async () => {
    const server = app();
    const url = await listen(server);
    const own = new WebSocketServer({ server, path: "/chat" });
    onTestFinished(() => own.close());
    own.on("connection", (socket) => socket.send("chat"));
    const jobwire = create();
    await jobwire.attach(server, { basePath: "/jobs" });
    const chat = new WebSocket(`${url.replace("http", "ws")}/chat`);
    expect(String((await once(chat, "message"))[0])).toBe("chat");
    // It answers upgrades at other paths than its own, and gets none of those below Jobwire's.
    const client = clientOf<typeof jobwire>(`${url}/jobs`);
    expect((await client.kinds.steps.create({})).id).toBeDefined();
    await jobwire.close();
    expect(chat.readyState).toBe(WebSocket.OPEN);
    chat.terminate();
  });

  test("a WebSocket or Socket.IO server that the program has below the path gets nothing", async () => {
    const server = app();
    const url = await listen(server);
    const jobwire = create();
    await jobwire.attach(server, { basePath: "/jobs" });
    const sockets = new WebSocketServer({ server, path: "/jobs/chat" });
    const taken: string[] = [];
    sockets.on("connection", () => taken.push("ws"));
    const own = new SocketIoServer(server, { path: "/jobs/socket.io" });
    own.on("connection", () => taken.push("socket.io"));
    onTestFinished(async () => {
      sockets.close();
      await own.close();
    });
    const chat = new WebSocket(`${url.replace("http", "ws")}/jobs/chat`);
    const [error] = (await once(chat, "error")) as [Error];
    expect(error.message).toContain("404");
    const client = io(url, { path: "/jobs/socket.io", transports: ["websocket"], forceNew: true });
    onTestFinished(() => void client.disconnect());
    await vi.waitFor(() => expect(client.connected).toBe(true));
    expect(taken).toEqual([]);
  });

  test("[E8] two Jobwires at two paths have their own jobs and their own sign-ins", async () => {
    const server = app();
    const url = await listen(server);
    const env = { AUTH_JWT_SECRET: SECRET };
    const jobwires = [create(env), create(env, await secondData())];
    const paths = ["/a", "/b"];
    await Promise.all(
      jobwires.map((jobwire, at) => jobwire.attach(server, { basePath: paths[at] })),
    );
    await jobwires[0]?.kinds.steps.create(ann, {});
    expect((await jobwires[1]?.jobs.list(ann))?.items).toEqual([]);
    const token = await tokenFor("ann");
    const jar = new Map<string, string>();
    const post = async (path: string, body: object = {}) => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const headers = { origin: url, "content-type": "application/json", cookie };
      const asked = { method: "POST", headers, body: JSON.stringify(body) };
      const answer = await fetch(url + path, asked);
      for (const set of answer.headers.getSetCookie()) {
        const [name = "", value = ""] = set.split(";", 1)[0]?.split("=") ?? [];
        if (value === "") jar.delete(name);
        else jar.set(name, value);
      }
      return answer.status;
    };
    const signedIn = async () => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const headers = { cookie, "sec-fetch-site": "same-origin" };
      const answers = paths.map((path) => fetch(`${url}${path}/auth/me`, { headers }));
      return (await Promise.all(answers)).map(({ status }) => status);
    };
    for (const path of paths) {
      expect(await post(`${path}/auth/sign-in`, { token })).toBe(200);
    }
    expect([...jar.keys()].toSorted()).toEqual(["jobwire+a", "jobwire+b"]);
    expect(await signedIn()).toEqual([200, 200]);
    expect(await post("/a/auth/sign-out")).toBe(200);
    expect(await signedIn()).toEqual([401, 200]);
  });
});

describe("a server of node:https", () => {
  test("[E1] serves every transport over TLS, and no page of plain HTTP", async () => {
    const pair = await createPair();
    trust(pair);
    const server = createSecureServer(pair, (req, res) => res.end(`app ${req.url}`));
    const url = await listen(server);
    const jobwire = create({ AUTH_JWT_SECRET: SECRET });
    await jobwire.attach(server, { basePath: "/jobs" });
    expect(await textAt(`${url}/x`)).toBe("app /x");
    const token = await tokenFor("ann");
    const { id } = await jobwire.kinds.steps.create(
      { ...ann, scopes: ["jobs:write", "jobs:read"] },
      {},
    );
    const seen = watchEveryWay(`${url}/jobs`, id, token);
    await step("begun");
    await vi.waitFor(() => expect([...seen].toSorted()).toEqual(WAYS));

    const signIn = (origin: string) =>
      fetch(`${url}/jobs/auth/sign-in`, {
        method: "POST",
        headers: {
          origin,
          "user-agent": "Mozilla/5.0 (tests)",
          "content-type": "application/json",
        },
        body: JSON.stringify({ token }),
      });
    const [cookie] = (await signIn(url)).headers.getSetCookie();
    expect(cookie).toMatch(
      /^__Host-jobwire\+jobs=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect((await signIn(url.replace("https", "http"))).status).toBe(403);
    const closed = once(server, "close");
    server.close();
    await jobwire.close();
    await closed;
  });
});

test("[E5] a server or path that cannot be used is refused before anything opens", async () => {
  const jobwire = create();
  await expect(jobwire.attach({ listening: true, close() {} })).rejects.toThrow(TypeError);
  expect(await readdir(data.env.DATA_DIR)).toEqual([]);
});
