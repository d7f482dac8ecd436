import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { newTestData } from "#test/engine/data.fixture.ts";
import { AppError } from "#shared/errors.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import { openRaw } from "#test/transports/socketio-raw-client.ts";
import {
  createJob,
  openTestServer,
  startJob,
  type TestServer,
  until,
} from "#test/transports/socketio.fixture.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";

let server: TestServer;
afterEach(async () => {
  await server.close();
});

const WAYS: [name: string, transports: string[], last: string][] = [
  ["websocket", ["websocket"], "websocket"],
  ["polling", ["polling"], "polling"],
  ["polling, then websocket", ["polling", "websocket"], "websocket"],
];

describe.each(WAYS)("over %s", (_name, transports, last) => {
  test("[L1] [L2] [L3] a stock client sees a job's whole life, each event as exactly one argument", async () => {
    server = await openTestServer();
    const jobId = await createJob(server.engine);
    const { socket, notes, named } = server.connect({ transports });
    socket.emit("subscribe:job", { job_id: jobId });
    await until(() => expect(named("job:update")).toHaveLength(1));
    await until(() => expect(socket.io.engine.transport.name).toBe(last));
    const job = await startJob(server.engine, jobId, "Job started - Profiling");
    await job.progress(80, "Content generated - Räksmörgås 🦐");
    await job.deliver("Article delivered");
    await until(() => expect(named("job:update")).toHaveLength(4));

    const log = (await server.engine.readEvents(jobId, 0, 10))?.events ?? [];
    const payloadOf = (n: number) => ({
      job_id: jobId,
      status: log[n]?.status,
      progress: log[n]?.progress,
      message: log[n]?.message,
      timestamp: log[n]?.at.toISOString(),
    });
    expect(notes).toEqual([
      ["connection", { connected: true, session_id: socket.id }],
      ["subscribed", { job_id: jobId }],
      ["job:update", payloadOf(0)],
      ["job:update", payloadOf(1)],
      ["job:update", payloadOf(2)],
      ["job:completed", payloadOf(3)],
      ["job:update", payloadOf(3)],
    ]);
    expect(payloadOf(2)).toMatchObject({
      progress: 80,
      message: "Content generated - Räksmörgås 🦐",
    });
  });

  test("a client that leaves, in any way, leaves no watch", async () => {
    server = await openTestServer();
    const jobId = await createJob(server.engine);
    const polite = server.connect({ transports });
    const abrupt = server.connect({ transports });
    polite.socket.emit("subscribe:job", { job_id: jobId });
    abrupt.socket.emit("subscribe:job", { job_id: jobId });
    await until(() => expect(server.watches()).toBe(2));
    polite.socket.disconnect();
    await until(() => expect(server.watches()).toBe(1));
    abrupt.socket.io.engine.close();
    await until(() => expect(server.watches()).toBe(0));
  });

  test("a server that closes disconnects its clients in a way that makes them reconnect", async () => {
    const data = await newTestData();
    server = await openTestServer({ data });
    const jobId = await createJob(server.engine);
    const { socket, named } = server.connect({
      transports,
      reconnection: true,
      reconnectionDelay: 10,
      reconnectionDelayMax: 50,
    });
    const reasons: string[] = [];
    socket.on("disconnect", (reason) => reasons.push(reason));
    socket.on("connect", () => socket.emit("subscribe:job", { job_id: jobId }));
    await until(() => expect(named("job:update")).toHaveLength(1));

    const port = Number(new URL(server.url).port);
    await server.close();
    await until(() => expect(reasons).toHaveLength(1));
    // Not "io server disconnect", after which clients do not reconnect.
    expect(["transport close", "transport error"]).toContain(reasons[0]);
    server = await openTestServer({ data, port });
    // The client's subscription is restored and confirmed.
    await until(() => expect(named("job:update")).toHaveLength(2));
    await until(() => expect(named("subscribed")).toHaveLength(2));
    socket.disconnect();
    await server.close();
    await data.remove();
  });
});

describe("connecting", () => {
  test("a client authenticates with a token or with headers, and others are refused with the reason", async () => {
    server = await openTestServer({
      authenticate: async ({ headers, token }) => {
        const name = token ?? headers["x-user"];
        if (typeof name !== "string")
          throw new AppError("UNAUTHENTICATED", "Give a token to connect.");
        return { userId: name, tenantId: "t", scopes: [...PERSON_SCOPES] };
      },
    });
    const jobId = await createJob(server.engine, {
      owner: { userId: "anna", tenantId: "t", scopes: [...PERSON_SCOPES] },
    });
    const stranger = server.connect();
    const refused = new Promise<Error>((resolve) => stranger.socket.on("connect_error", resolve));
    expect((await refused).message).toBe("Give a token to connect.");
    expect(stranger.notes).toEqual([]);

    const anna = server.connect({ auth: { token: "anna" } });
    anna.socket.emit("subscribe:job", { job_id: jobId });
    await until(() => expect(anna.named("job:update")).toHaveLength(1));
    const same = server.connect({ extraHeaders: { "x-user": "anna" } });
    same.socket.emit("subscribe:job", { job_id: jobId });
    await until(() => expect(same.named("job:update")).toHaveLength(1));
    // A token that is not a string counts as absent.
    const odd = server.connect({ auth: { token: { anna: true } } });
    const oddRefused = new Promise<Error>((resolve) => odd.socket.on("connect_error", resolve));
    expect((await oddRefused).message).toBe("Give a token to connect.");

    const bert = server.connect({ auth: { token: "bert" } });
    bert.socket.emit("subscribe:job", { job_id: jobId });
    await until(() =>
      expect(bert.named("subscription:error")).toEqual([
        { code: "NOT_FOUND", message: `Job ${jobId} does not exist.`, job_id: jobId },
      ]),
    );
  });

  test.each(["polling", "websocket"] as const)(
    "[H13] over %s a client reconnects by itself after the hook failed, and does not learn the reason",
    async (transport) => {
      let away = true;
      let asked = 0;
      server = await openTestServer({
        authenticate: async () => {
          asked += 1;
          if (away) throw new Error("connect ECONNREFUSED 10.0.0.7:5432");
          return LOCAL_PRINCIPAL;
        },
      });
      const errors: string[] = [];
      const { socket } = server.connect({
        transports: [transport],
        reconnection: true,
        reconnectionDelay: 5,
        reconnectionDelayMax: 10,
      });
      socket.on("connect_error", ({ message }) => errors.push(message));
      await until(() => expect(asked).toBeGreaterThan(1));
      away = false;
      await until(() => expect(socket.connected).toBe(true));
      expect(errors.join()).not.toContain("10.0.0.7");
      socket.disconnect();
    },
  );

  test("a page of a listed origin may poll, and a page of another origin may not", async () => {
    server = await openTestServer();
    const handshake = (origin: string) =>
      fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
    const allowed = await handshake("http://allowed.test");
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get("access-control-allow-origin")).toBe("http://allowed.test");
    expect((await handshake("http://elsewhere.test")).status).toBe(403);
  });

  test("the path works with and without its last slash, and requests that are not Socket.IO get an answer", async () => {
    server = await openTestServer();
    expect((await fetch(`${server.url}/socket.io?EIO=4&transport=polling`)).status).toBe(200);
    const plain = await fetch(`${server.url}/socket.io/`);
    expect(plain.status).toBe(400);
    expect(await plain.json()).toEqual({ code: 0, message: "Transport unknown" });
  });

  test("a closing server accepts no client, and terminates those that do not leave", async () => {
    server = await openTestServer();
    const deaf = new WebSocket(`${wsUrl()}?EIO=4&transport=websocket`);
    await once(deaf, "message");
    // This client never answers a close frame.
    deaf.pause();
    await server.transport.close();
    deaf.resume();
    await once(deaf, "close");

    const poll = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`);
    expect(poll.status).toBe(403);
    expect(await poll.json()).toMatchObject({ message: "The server is restarting. Try again." });
    const late = new WebSocket(`${wsUrl()}?EIO=4&transport=websocket`);
    const [error] = (await once(late, "error")) as [Error];
    expect(error.message).toContain("400");
  });
});

describe("on the wire", () => {
  test("[L3] an event is its name and its payload, with nothing appended", async () => {
    server = await openTestServer();
    const jobId = await createJob(server.engine);
    const client = openRaw(`${wsUrl()}?EIO=4&transport=websocket`);
    await until(() => expect(client.frames[0]).toMatch(/^0\{/));
    client.send("40");
    await until(() => expect(client.frames).toHaveLength(3));
    client.send(`42["subscribe:job",${JSON.stringify({ job_id: jobId })}]`);
    await until(() => expect(client.frames).toHaveLength(5));
    const connected = JSON.parse(client.frames[1]?.slice(2) ?? "") as { sid: string };
    expect(connected).toEqual({
      sid: expect.any(String) as string,
      pid: expect.stringMatching(/^[\w-]{22}$/) as string,
    });
    const event = (await server.engine.readEvents(jobId, 0, 1))?.newest;
    expect(client.frames.slice(2)).toEqual([
      `42["connection",{"connected":true,"session_id":"${connected.sid}"}]`,
      `42["subscribed",{"job_id":"${jobId}"}]`,
      `42["job:update",{"job_id":"${jobId}","status":"PENDING","progress":0,"message":"${event?.message}","timestamp":"${event?.at.toISOString()}"}]`,
    ]);
    client.close();
  });

  test("[L1] a client of version 2 is served over WebSocket if that is allowed", async () => {
    server = await openTestServer({ allowEio3: true });
    const jobId = await createJob(server.engine);
    const client = openRaw(`${wsUrl()}?EIO=3&transport=websocket`);
    // In the older protocol the server joins the client, and the client pings.
    await until(() => expect(client.frames).toHaveLength(3));
    client.send("2");
    await until(() => expect(client.frames.at(-1)).toBe("3"));
    client.send(`42["subscribe:job",${JSON.stringify({ job_id: jobId })}]`);
    await until(() => expect(client.frames).toHaveLength(6));
    const job = await startJob(server.engine, jobId);
    await job.fail("Räksmörgås");
    await until(() => expect(client.frames).toHaveLength(9));
    expect(client.frames.slice(1).map((frame) => frame.replace(/,.*/, ""))).toEqual([
      "40",
      '42["connection"',
      "3",
      '42["subscribed"',
      '42["job:update"',
      '42["job:update"',
      '42["job:error"',
      '42["job:update"',
    ]);
    expect(client.frames.at(-2)).toContain('"progress":0,"message":"Error: Räksmörgås"');
    client.close();
  });

  test("[L1] a client of version 2 is served over polling, and refused with a clear error if that is not allowed", async () => {
    server = await openTestServer({ allowEio3: true });
    const jobId = await createJob(server.engine);
    const url = `${server.url}/socket.io/?EIO=3&transport=polling`;
    const packets = readOldPayload(await (await fetch(url)).text());
    const { sid } = JSON.parse(packets[0]?.slice(1) ?? "") as { sid: string };
    const request = `42["subscribe:job",${JSON.stringify({ job_id: jobId })}]`;
    await fetch(`${url}&sid=${sid}`, { method: "POST", body: `${request.length}:${request}` });
    while (packets.length < 5) {
      packets.push(...readOldPayload(await (await fetch(`${url}&sid=${sid}`)).text()));
    }
    expect(packets.slice(1).map((packet) => packet.replace(/,.*/, ""))).toEqual([
      "40",
      '42["connection"',
      '42["subscribed"',
      '42["job:update"',
    ]);
    await server.close();

    server = await openTestServer();
    const refused = await fetch(`${server.url}/socket.io/?EIO=3&transport=polling`);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toEqual({ code: 5, message: "Unsupported protocol version" });
  });
});

const wsUrl = () => `${server.url.replace("http", "ws")}/socket.io/`;

/** Engine.IO 3: each packet has its length before it, and a colon. */
function readOldPayload(payload: string): string[] {
  const packets: string[] = [];
  let at = 0;
  while (at < payload.length) {
    const colon = payload.indexOf(":", at);
    const end = colon + 1 + Number(payload.slice(at, colon));
    packets.push(payload.slice(colon + 1, end));
    at = end;
  }
  return packets;
}
