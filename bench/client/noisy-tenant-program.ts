/**
 * A tenant that asks for more than its limits, in a process of its own. It asks at an even pace, so that it takes no more of
 * the machine than that.
 */
import { once, setMaxListeners } from "node:events";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { constants, setPriority } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { answerCalls } from "#bench/program.ts";
import { handshakeOf } from "./watcher.ts";

export type Request =
  /** Upgrades. Connections stay open until the end. */
  | { kind: "connections"; path: string }
  /** Half of the calls over HTTP, half over one WebSocket. */
  | { kind: "calls" }
  /** All on the same job, over as many WebSockets as they need. */
  | { kind: "subscriptions"; jobId: string; perSocket: number }
  | { kind: "batches"; jobs: number }
  /** Calls with tokens that are not valid. */
  | { kind: "bad tokens" };

export type Ask = Request & {
  what: string;
  times: number;
  /** Of each caller; the requests take them in turn. */
  headers: Record<string, string>[];
};

export interface Asked {
  /** How many times. */
  times: number;
  /** How many of them were answered with `RATE_LIMITED`. */
  refused: number;
}

export interface NoisyTenantProgram {
  /** Asks for everything at the same time, each evenly over `forMs`, and closes all connections then. */
  ask(input: { port: number; forMs: number; asks: Ask[] }): Promise<Record<string, Asked>>;
}

/** Time between two turns of asking. */
const TURN_MS = 5;
/** The calls over HTTP of each kind share as many; the others wait in this process. */
const CONNECTIONS_OF_CALLS = 64;
const LIMITED = "RATE_LIMITED";
const JOB = { kind: "pulse", input: {} };
const LIST = "/trpc/job.list";

/** Makes the request of this number. */
type Make = (n: number) => void;

interface Run {
  port: number;
  agent: Agent;
  sockets: Set<Socket | WebSocket>;
  /** Aborts the requests that are under way, or wait for a connection, at the end. */
  over: AbortSignal;
  refused(): void;
}

type Headers = Record<string, string>;

function callHttp(run: Run, path: string, headers: Headers, body?: string): void {
  const { port, agent, over: signal } = run;
  const method = body === undefined ? "GET" : "POST";
  const req = request({ host: "127.0.0.1", port, path, agent, headers, method, signal }, (res) => {
    if (res.statusCode === 429) run.refused();
    res.resume().on("error", () => {});
  });
  req.on("error", () => {});
  req.end(body);
}

function openRaw(run: Run, path: string, headers: Headers): void {
  const socket = connect({ host: "127.0.0.1", port: run.port, noDelay: true });
  run.sockets.add(socket);
  socket.write(handshakeOf(run.port, { path, headers }));
  socket.setEncoding("latin1").on("data", (text: string) => {
    // A connection beyond the limit of its user is told after the handshake.
    if (!text.startsWith("HTTP/1.1 429") && !text.includes(LIMITED)) return;
    run.refused();
    socket.destroy();
  });
  socket.on("error", () => {});
  socket.once("close", () => run.sockets.delete(socket));
}

async function openSocket(run: Run, headers: Headers): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${run.port}/trpc`, { headers });
  run.sockets.add(socket);
  socket.on("error", () => {});
  socket.on("message", (text: Buffer) => {
    if (text.includes(LIMITED)) run.refused();
  });
  await once(socket, "open");
  return socket;
}

async function prepare(run: Run, ask: Ask): Promise<Make> {
  const headersOf = (n: number) => ask.headers[n % ask.headers.length] ?? {};
  switch (ask.kind) {
    case "connections":
      return (n) => openRaw(run, ask.path, headersOf(n));
    case "calls": {
      const socket = await openSocket(run, headersOf(0));
      return (n) => {
        if (n % 2 === 0) callHttp(run, LIST, headersOf(n));
        else socket.send(JSON.stringify({ id: n, method: "query", params: { path: "job.list" } }));
      };
    }
    case "subscriptions": {
      const count = Math.ceil(ask.times / ask.perSocket);
      const sockets = await Promise.all(
        Array.from({ length: count }, (_, n) => openSocket(run, headersOf(n))),
      );
      const params = { path: "job.onUpdate", input: { json: { jobId: ask.jobId } } };
      return (n) =>
        sockets[n % count]?.send(JSON.stringify({ id: n, method: "subscription", params }));
    }
    case "batches": {
      const jobs = Array.from({ length: ask.jobs }, () => JOB);
      const body = JSON.stringify({ json: { jobs } });
      return (n) =>
        callHttp(
          run,
          "/trpc/batch.create",
          { ...headersOf(n), "content-type": "application/json" },
          body,
        );
    }
    case "bad tokens":
      return (n) =>
        callHttp(run, LIST, { ...headersOf(n), authorization: `Bearer bad.${n}.token` });
  }
}

async function keepAsking(make: Make, times: number, forMs: number): Promise<void> {
  const begin = performance.now();
  for (let asked = 0; asked < times;) {
    const due = Math.ceil(((performance.now() - begin) / forMs) * times);
    for (; asked < Math.min(due, times); asked += 1) make(asked);
    await delay(TURN_MS);
  }
}

// It stands for machines of others: what it costs by itself must not take the processor from the server.
setPriority(constants.priority.PRIORITY_LOW);

const program: NoisyTenantProgram = {
  async ask({ port, forMs, asks }) {
    const over = new AbortController();
    // Each request that has not ended listens to it.
    setMaxListeners(0, over.signal);
    const sockets = new Set<Socket | WebSocket>();
    const agents: Agent[] = [];
    const told: Record<string, Asked> = {};
    await Promise.all(
      asks.map(async (ask) => {
        const asked = (told[ask.what] = { times: ask.times, refused: 0 });
        const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_OF_CALLS });
        agents.push(agent);
        const refused = () => void (asked.refused += 1);
        const run = { port, agent, sockets, over: over.signal, refused };
        await keepAsking(await prepare(run, ask), ask.times, forMs);
      }),
    );
    over.abort();
    for (const agent of agents) agent.destroy();
    for (const socket of sockets) {
      if (socket instanceof WebSocket) socket.terminate();
      else socket.destroy();
    }
    return told;
  },
};

answerCalls(program, () => {});
