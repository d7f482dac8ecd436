/** For tests: Socket.IO on a real server with a real engine, and clients that record all events. */
import { pino } from "pino";
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { v7 as newId } from "uuid";
import { vi } from "vitest";
import type { Claim, Engine } from "#server/engine/contract.ts";
import { openEngine } from "#server/engine/index.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { createJobs } from "#server/jobs/jobs.ts";
import { LOCAL_PRINCIPAL, ownerOf, type Principal } from "#shared/principal.ts";
import type { EngineSessionLimits } from "#server/transports/socketio/engine-sessions.ts";
import {
  type ServedTransport,
  type ServerOptions,
  serveTransport,
} from "#test/transports/server.fixture.ts";
import { createKindRegistry } from "#server/kinds/registry.ts";
import { createSocketioTransport } from "#server/transports/socketio/transport.ts";

/** An event that a client received: its name and the arguments of its handler. */
export type Note = [name: string, ...args: unknown[]];

export interface Client {
  socket: Socket;
  notes: Note[];
  named(name: string): unknown[];
}

export interface TestServer extends ServedTransport {
  engine: Engine;
  /** Error lines of the log. */
  faults: string[];
  /** A client that does not reconnect by default. If `options` enable that, the test must close it. */
  connect(options?: Partial<ManagerOptions & SocketOptions>): Client;
  /** Can be called repeatedly. */
  close(): Promise<void>;
}

export async function openTestServer(
  options: ServerOptions & {
    allowEio3?: boolean;
    sessions?: Partial<EngineSessionLimits>;
    /** Wraps the engine of the streams and sessions. */
    wrap?: (engine: Engine) => Engine;
    port?: number;
    /** The caller removes it. */
    data?: TestData;
  } = {},
): Promise<TestServer> {
  const data = options.data ?? (await newTestData());
  const engine = await openEngine(data.config);
  const wrapped = options.wrap?.(engine) ?? engine;
  const faults: string[] = [];
  const log = pino({ level: "error" }, { write: (line: string) => void faults.push(line) });
  const { allowEio3 = false, sessions } = options;
  const served = await serveTransport(
    (context) => createSocketioTransport(context, { allowEio3, sessions }),
    {
      ...options,
      jobs: createJobs(engine, createKindRegistry([])),
      engine: wrapped,
      log,
      origins: ["http://allowed.test"],
    },
  );

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    await served.close();
    await engine.close();
    if (options.data === undefined) await data.remove();
  }

  return {
    ...served,
    engine,
    faults,
    connect(clientOptions) {
      const socket = io(served.url, { forceNew: true, reconnection: false, ...clientOptions });
      const notes: Note[] = [];
      socket.onAny((name: string, ...args: unknown[]) => notes.push([name, ...args]));
      return {
        socket,
        notes,
        named: (name) => notes.filter(([noted]) => noted === name).map(([, payload]) => payload),
      };
    },
    close: () => (closing ??= close()),
  };
}

/** Waits for a condition, with a timeout for machines that are busy with other tests. */
export const until = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 120_000, interval: 50 });

const now = () => new Date();

export async function createJob(
  engine: Engine,
  options: { owner?: Principal; at?: Date } = {},
): Promise<string> {
  const id = newId();
  const owner = ownerOf(options.owner ?? LOCAL_PRINCIPAL);
  const job = { id, kind: "test", title: "A test", input: {}, batchId: null, ...owner };
  await engine.createJob(job, options.at ?? now());
  return id;
}

export async function createBatch(
  engine: Engine,
  size: number,
): Promise<{ batchId: string; jobIds: string[] }> {
  const batchId = newId();
  const owner = ownerOf(LOCAL_PRINCIPAL);
  const jobs = Array.from({ length: size }, () => ({
    id: newId(),
    kind: "test",
    title: "A test",
    input: {},
    batchId,
    ...owner,
  }));
  await engine.createBatch({ id: batchId, name: null, ...owner }, jobs, now());
  return { batchId, jobIds: jobs.map(({ id }) => id) };
}

/** Claims and starts a job, and returns functions that report its progress and end. */
export async function startJob(engine: Engine, jobId: string, message = "Job started") {
  const claims = await engine.claim({ worker: "w", max: 1000, leaseMs: 3_600_000, now: now() });
  const claim = claims.find((each) => each.jobId === jobId) as Claim;
  await engine.change(jobId, { action: "start", progress: 10, message }, now(), claim);
  return {
    progress: (progress: number, text = `Step ${progress}`) =>
      engine.change(jobId, { action: "progress", progress, message: text }, now(), claim),
    deliver: (text = "Delivered") =>
      engine.change(jobId, { action: "deliver", message: text, output: {} }, now(), claim),
    block: (text: string) =>
      engine.change(jobId, { action: "block", message: text, output: {} }, now(), claim),
    fail: (text: string) =>
      engine.change(jobId, { action: "fail", error: { code: "X", message: text } }, now(), claim),
  };
}
