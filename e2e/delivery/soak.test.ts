/** [S7] Tens of thousands of watches come and go on every transport without leaving anything behind. */
import { once } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { timesOf } from "#test/long-run.ts";
import { openPolling } from "#test/transports/socketio-raw-client.ts";
import { type DrivenServer, startDrivenServer } from "./driven-server.ts";
import { type OpenRaw, openSocketio, openSse, openTrpc } from "./raw-clients.ts";

/** Watches on connections that stay, and connections, each with one watch. */
const WATCHES = timesOf(2400, 12_000);
const CONNECTIONS = timesOf(200, 1000);
const BATCH = 100;
/** A run grows by some 150 KiB; a leak of 400 bytes a watch exceeds it. */
const MAY_GROW = timesOf(1, 4) * 1024 * 1024;

let server: DrivenServer;
beforeEach(async () => {
  server = await startDrivenServer();
});
afterEach(async () => {
  await server.stop();
});

/** Resources of the server once all clients have left. */
async function rest() {
  await vi.waitFor(async () => expect(await server.gauge("jobwire_watches")).toBe(0), {
    timeout: 120_000,
  });
  expect(await server.gauge("jobwire_watched_streams")).toBe(0);
  const { heapUsed, external, resources } = await server.memory();
  return { bytes: heapUsed + external, resources };
}

async function openSocket(path: string): Promise<{ ws: WebSocket; frames: string[] }> {
  const ws = new WebSocket(server.url.replace("http", "ws") + path);
  const frames: string[] = [];
  ws.on("message", (data: Buffer) => {
    const text = data.toString();
    if (text === "PING") ws.send("PONG");
    else if (text === "2") ws.send("3");
    else frames.push(text);
  });
  await once(ws, "open");
  return { ws, frames };
}

async function close(ws: WebSocket): Promise<void> {
  ws.close();
  await once(ws, "close");
}

/** Waits until `count` frames contain `text`. */
async function heard(frames: string[], text: string, count: number): Promise<void> {
  await vi.waitFor(
    () =>
      expect(frames.filter((frame) => frame.includes(text)).length).toBeGreaterThanOrEqual(count),
    { interval: 1, timeout: 120_000 },
  );
}

async function churnTrpc(jobIds: string[], count: number): Promise<void> {
  const { ws, frames } = await openSocket("/trpc");
  for (let done = 0; done < count; done += BATCH) {
    frames.length = 0;
    for (let n = 0; n < BATCH; n++) {
      const input = { json: { jobId: jobIds[n % jobIds.length], follow: true } };
      const params = { path: n % 2 === 0 ? "job.onUpdate" : "job.onOutput", input };
      ws.send(JSON.stringify({ id: n, method: "subscription", params }));
      // Half of them stop before they have begun.
      if (n % 2 === 0) ws.send(JSON.stringify({ id: n, method: "subscription.stop" }));
    }
    await heard(frames, '"type":"data"', BATCH / 2);
    for (let n = 1; n < BATCH; n += 2) {
      ws.send(JSON.stringify({ id: n, method: "subscription.stop" }));
    }
    await heard(frames, '"type":"stopped"', BATCH);
  }
  await close(ws);
}

async function churnSocketio(jobIds: string[], count: number): Promise<void> {
  const { ws, frames } = await openSocket("/socket.io/?EIO=4&transport=websocket");
  ws.send("40");
  await heard(frames, "session_id", 1);
  for (let done = 0; done < count; done += jobIds.length) {
    frames.length = 0;
    for (const job_id of jobIds) ws.send(`42["subscribe:job",{"job_id":"${job_id}"}]`);
    await heard(frames, '"job:update"', jobIds.length);
    for (const [n, job_id] of jobIds.entries()) {
      ws.send(`42${n}["unsubscribe:job",{"job_id":"${job_id}"}]`);
    }
    await heard(frames, '[{"ok":true}]', jobIds.length);
  }
  await close(ws);
}

async function churnConnections(open: OpenRaw, jobId: string, count: number): Promise<void> {
  for (let done = 0; done < count; done += BATCH) {
    await Promise.all(
      Array.from({ length: BATCH }, async (_, n) => {
        await new Promise<void>((resolve) => {
          const client = open(server.url, jobId, () => {
            client.cut();
            void client.closed.then(() => resolve());
          });
          // Some leave before their first event.
          if (n % 10 === 0) {
            client.cut();
            void client.closed.then(() => resolve());
          }
        });
      }),
    );
  }
}

/** Leaves with a close packet; otherwise Engine.IO would keep a timer for half a minute. */
async function churnPolling(job_id: string, count: number): Promise<void> {
  for (let done = 0; done < count; done += BATCH) {
    await Promise.all(
      Array.from({ length: BATCH }, async () => {
        const client = await openPolling(server.url);
        await client.post("40");
        await client.post(`42["subscribe:job",{"job_id":"${job_id}"}]`);
        const seen: string[] = [];
        while (!seen.some((packet) => packet.includes('"job:update"'))) {
          seen.push(...(await client.poll()).packets);
        }
        await client.post("1");
      }),
    );
  }
}

test("[S7] closed watches and connections leave no listener, timer, socket or memory behind", async () => {
  const jobIds = await Promise.all(Array.from({ length: 10 }, () => server.startJob()));
  const [jobId = ""] = jobIds;
  const churn = async (watches: number, connections: number) => {
    await churnTrpc(jobIds, watches);
    await churnSocketio(jobIds, watches);
    for (const open of [openTrpc, openSse, openSocketio]) {
      await churnConnections(open, jobId, connections);
    }
    await churnPolling(jobId, connections);
  };
  await churn(WATCHES / 10, CONNECTIONS);
  const before = await rest();
  await churn(WATCHES, CONNECTIONS);
  const after = await rest();
  expect(after.bytes - before.bytes).toBeLessThan(MAY_GROW);
  await vi.waitFor(
    async () => {
      const { resources } = await server.memory();
      for (const kind of ["TCPSocketWrap", "Timeout"]) {
        // The test's own keep-alive connections vary.
        const allowed = (before.resources[kind] ?? 0) + 10;
        expect(resources[kind] ?? 0, `${kind} that stay`).toBeLessThanOrEqual(allowed);
      }
    },
    { timeout: 120_000 },
  );
  expect(server.complaints()).toBe("");
});
