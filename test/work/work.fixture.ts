/** A server with kinds that workers of other programs run, and callers who work, create and decide over its API. */
import { z } from "zod";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { type AnyKind, defineKind } from "#server/kinds/define.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import type { Job } from "#shared/job.ts";
import type { Authenticated } from "#shared/principal.ts";
import type { DraftHeld, Ended, WorkJob } from "#shared/work.ts";
import type { Problem } from "#server/transports/api/answers.ts";

const input = z.object({ n: z.int().default(0) });
const retry = { maxAttempts: 2, backoff: { firstMs: 0, maxMs: 0 } };

/** The kinds of the server: `here` alone runs in it. */
const KINDS: readonly AnyKind[] = [
  defineKind({
    name: "render",
    input,
    details: z.object({ done: z.int() }),
    output: z.object({ file: z.string() }),
    retry,
  }),
  defineKind({ name: "other", input, output: z.unknown() }),
  defineKind({ name: "brief", input, output: z.unknown(), retry, timeLimitMs: 300 }),
  defineKind({ name: "single", input, output: z.unknown(), concurrency: 1 }),
  defineKind({ name: "here", input, output: z.null(), run: async () => null }),
];

export interface Answer<T> {
  status: number;
  body: T;
}
type Given = Record<string, unknown>;

/** Of an answer of any kind. The `status` of an end is a text, that of a problem a number. */
type Told = Omit<DraftHeld & Ended & Problem, "status"> & { status: unknown };

/** A caller, whose name says what it may: `tenant:user:scope,scope`. */
export interface TestCaller {
  post<T = Problem>(path: string, body: unknown, signal?: AbortSignal): Promise<Answer<T>>;
  claim(asked?: Given, signal?: AbortSignal): Promise<WorkJob[]>;
  /** One job. */
  take(asked?: Given): Promise<WorkJob>;
  report<T = Told>(
    name: string,
    job: Pick<WorkJob, "jobId" | "token">,
    body?: Given,
  ): Promise<Answer<T>>;
  create(kind?: string, n?: number): Promise<string>;
  job(jobId: string): Promise<Job>;
  cancel(jobId: string): Promise<void>;
  remove(path: string): Promise<void>;
}

export interface WorkFixture {
  as(name: string): TestCaller;
  /** As by `kill -9`, or a deploy. */
  restart(): Promise<void>;
  readonly app: App;
  close(): Promise<void>;
}

export async function openWorkFixture(env: Record<string, string> = {}): Promise<WorkFixture> {
  const data: TestData = await newTestData();
  const settings = {
    ...data.env,
    LEASE_MS: "30000",
    PORT: "0",
    LOG_LEVEL: "silent",
    SHUTDOWN_GRACE_MS: "0",
    HANDOVER_MS: "0",
    LIMIT_USER_CALLS: "0",
    ...env,
  };
  const open = () => createApp(loadConfig(settings), { kinds: KINDS, authenticate });
  let app = await open();

  function as(name: string): TestCaller {
    const headers = { "content-type": "application/json", authorization: `Bearer ${name}` };
    async function call<T>(
      method: string,
      path: string,
      body?: unknown,
      signal?: AbortSignal,
    ): Promise<Answer<T>> {
      const answer = await fetch(`${app.url}/api/v1${path}`, {
        method,
        headers,
        ...(signal && { signal }),
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      return { status: answer.status, body: (await answer.json()) as T };
    }
    const caller: TestCaller = {
      post: (path, body, signal) => call("POST", path, body, signal),
      async claim(asked = {}, signal) {
        const wants = { kinds: ["render"], waitMs: 0, ...asked };
        const answer = await call<{ jobs: WorkJob[] }>("POST", "/work/claims", wants, signal);
        if (answer.status !== 200) throw new Error(JSON.stringify(answer));
        return answer.body.jobs;
      },
      async take(asked) {
        const [job] = await caller.claim({ waitMs: 30_000, ...asked });
        if (job === undefined) throw new Error("There was no work.");
        return job;
      },
      report: (report, { jobId, token }, body = {}) =>
        call("POST", `/work/jobs/${jobId}/${report}`, { token, ...body }),
      async create(kind = "render", n = 0) {
        const { body } = await call<Job>("POST", "/jobs", { kind, input: { n } });
        return body.id;
      },
      job: async (jobId) => (await call<Job>("GET", `/jobs/${jobId}`)).body,
      remove: async (path) => void (await call("DELETE", path)),
      cancel: async (jobId) => void (await call("POST", `/jobs/${jobId}/cancel`, {})),
    };
    return caller;
  }

  return {
    as,
    get app() {
      return app;
    },
    async restart() {
      await app.close();
      app = await open();
    },
    async close() {
      await app.close();
      await data.remove();
    },
  };
}

async function authenticate({
  headers,
}: {
  headers: { authorization?: string | undefined };
}): Promise<Authenticated> {
  const [tenantId = "", userId = "", scopes = ""] =
    headers.authorization?.replace("Bearer ", "").split(":") ?? [];
  const names: Record<string, string> = { read: "jobs:read", write: "jobs:write" };
  return { tenantId, userId, scopes: scopes.split(",").map((name) => names[name] ?? name) };
}
