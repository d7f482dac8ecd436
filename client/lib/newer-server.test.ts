/** The typed client at a server of a newer minor version, whose records, events and errors have what this version does not know. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { initTRPC, tracked, TRPCError } from "@trpc/server";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { applyWSSHandler } from "@trpc/server/adapters/ws";
import { EventSource } from "eventsource";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { z } from "zod";
import { createJobwireClient, JobFailedError } from "./client.ts";
import { failureOf, isFinal } from "./failure.ts";
import { transformer } from "./transformer.ts";

const AT = new Date("2030-01-01T00:00:00Z");
const STATE = { jobId: "j", at: AT, attempt: 1, progress: 50, message: "m" };
const EVENTS = [
  { ...STATE, seq: 1, type: "created", status: "PENDING", region: "eu" },
  { ...STATE, seq: 2, type: "parked", status: "PARKED", until: AT },
  { ...STATE, seq: 3, type: "archived", status: "ARCHIVED", actor: { user: "a", via: "robot" } },
];
const JOB = {
  id: "j",
  kind: "mail",
  title: "Mail",
  status: "ARCHIVED",
  progress: 100,
  message: "Archived",
  error: null,
  version: 3,
  output: { sent: 1 },
  region: "eu",
  nested: { at: AT },
};

/** The message of a failure begins with the code, and the time after which it passes. */
const t = initTRPC.create({
  transformer,
  sse: { enabled: true },
  errorFormatter({ shape, error }) {
    const [appCode, ms] = error.message.split(" ");
    return {
      ...shape,
      data: {
        ...shape.data,
        appCode,
        hint: "unknown",
        ...(ms !== undefined && { retryAfterMs: Number(ms) }),
      },
    };
  },
});
let refusals: string[];
let watches: number;
const OfJob = z.object({ jobId: z.string() });
const router = t.router({
  system: t.router({ onState: t.procedure.subscription(async function* () {}) }),
  job: t.router({
    get: t.procedure.input(OfJob).query(() => JOB),
    list: t.procedure.query(() => ({ items: [JOB], nextCursor: null, estimate: 7 })),
    cancel: t.procedure.input(OfJob).mutation(() => {
      throw new TRPCError({ code: "CONFLICT", message: "QUOTA_SPENT" });
    }),
    onUpdate: t.procedure
      .input(OfJob.extend({ lastEventId: z.string().optional() }))
      .subscription(async function* () {
        watches += 1;
        const refusal = refusals.shift();
        if (refusal !== undefined) throw new TRPCError({ code: "CONFLICT", message: refusal });
        for (const event of EVENTS) yield tracked(String(event.seq), event);
      }),
    onOutput: t.procedure.input(OfJob).subscription(async function* () {
      yield tracked("1", { jobId: "j", seq: 1, attempt: 1, offset: 0, text: "Dear", voice: "b" });
    }),
  }),
});

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const known: T[] = [];
  for await (const value of values) known.push(value);
  return known;
}

async function open(transport: "ws" | "sse") {
  const handler = createHTTPHandler({ router, basePath: "/trpc/" });
  const server = createServer((req, res) => handler(req, res)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const wss = new WebSocketServer({ server });
  applyWSSHandler({ wss, router });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createJobwireClient({ url, transport });
  onTestFinished(() => {
    client.close();
    wss.close();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

beforeEach(() => {
  vi.stubGlobal("EventSource", EventSource);
  refusals = [];
  watches = 0;
});
afterEach(() => vi.unstubAllGlobals());

describe.each(["ws", "sse"] as const)("[C2] over %s", (transport) => {
  test("events of unknown types and statuses arrive as they are, with unknown fields", async () => {
    const client = await open(transport);
    const events = await all(client.job("j").events());
    expect(events).toEqual(EVENTS);
    expect(await all(client.job("j").output())).toEqual(["Dear"]);
  });

  test("records and pages of lists arrive with unknown fields", async () => {
    const client = await open(transport);
    expect(await client.job("j").get()).toEqual(JOB);
    expect(await client.trpc.job.list.query()).toMatchObject({ items: [JOB], estimate: 7 });
  });

  test("a job that ended in an unknown status has no result, and is watched once", async () => {
    const client = await open(transport);
    const error: unknown = await client
      .job("j")
      .result()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(JobFailedError);
    expect(error).toMatchObject({ code: "ARCHIVED", job: JOB });
    expect(watches).toBe(1);
  });

  test("a refusal with an unknown code is final, unless it says when it passes", async () => {
    const client = await open(transport);
    const refused: unknown = await client
      .job("j")
      .cancel()
      .catch((thrown: unknown) => thrown);
    expect(failureOf(refused).code).toBe("QUOTA_SPENT");
    expect(isFinal(refused)).toBe(true);
    refusals = ["QUOTA_SPENT"];
    await expect(client.job("j").events().next()).rejects.toThrow("QUOTA_SPENT");
    refusals = ["QUOTA_LOW 1", "QUOTA_LOW 1"];
    expect((await client.job("j").events().next()).value).toEqual(EVENTS[0]);
    expect(watches).toBe(4);
  });
});
