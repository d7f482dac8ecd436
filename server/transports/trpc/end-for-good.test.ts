/** The end of event streams for a plain `EventSource`. */
import { createTRPCClient, httpSubscriptionLink } from "@trpc/client";
import { EventSource } from "eventsource";
import superjson from "superjson";
import { expect, test } from "vitest";
import { eventually, untilAborted } from "#test/jobs/jobs.fixture.ts";
import { AppError } from "#shared/errors.ts";
import { me } from "#test/jobs/acting.ts";
import type { AppRouter } from "./router.ts";
import { openTestServer, type TestServer } from "#test/transports/trpc.fixture.ts";

const NEVER_AGAIN = /\n\nretry: 86400000\n\n$/;
const NO_JOB = "01a20665-8cab-704e-9437-209e0533c3ad";
const WORK = { kind: "work", input: {} };

function addressOf({ url }: TestServer, path: string, input: unknown): string {
  return `${url}/trpc/${path}?input=${encodeURIComponent(JSON.stringify(input))}`;
}

async function textOf(server: TestServer, path: string, input: unknown): Promise<string> {
  const res = await fetch(addressOf(server, path, input));
  expect(res.headers.get("content-type")).toContain("text/event-stream");
  return res.text();
}

test.each(["job.onUpdate", "job.onOutput", "job.onLog", "batch.onUpdate"])(
  "[S10] %s of a settled job or batch ends with a field that stops an EventSource from reconnecting",
  async (path) => {
    const server = await openTestServer();
    const { jobs } = server.fixture;
    const { id: batchId } = await jobs.createBatch(me, { jobs: [WORK] });
    const { items } = await jobs.list(me, { limit: 1 });
    const jobId = items[0]?.id ?? "";
    server.fixture.startRunner();
    await server.fixture.reaches(jobId, "DELIVERED");
    const text = await textOf(server, path, { json: { jobId, batchId, lastEventId: "0" } });
    expect(text).toMatch(NEVER_AGAIN);
    expect(text.match(/^retry:/gm)).toHaveLength(1);
    expect(text.indexOf("event: return")).toBeGreaterThan(0);
  },
);

test.each([
  ["a job that does not exist", "job.onUpdate", { json: { jobId: NO_JOB } }, "NOT_FOUND"],
  ["an invalid id", "job.onUpdate", { json: { jobId: "1" } }, "BAD_REQUEST"],
  ["no envelope", "feed.onUpdate", { lastEventId: "0" }, "BAD_REQUEST"],
])("an EventSource does not reconnect after %s either", async (_, path, input, code) => {
  const text = await textOf(await openTestServer(), path, input);
  expect(text).toContain("event: serialized-error");
  expect(text).toContain(`"appCode":"${code}"`);
  expect(text).toMatch(NEVER_AGAIN);
});

test.each([
  [new AppError("UNAUTHENTICATED", "Sign in first."), true],
  [new AppError("FORBIDDEN", "The account is closed."), true],
  // These requests may succeed later.
  [new Error("The directory is away."), false],
])("after %s, an EventSource stops only if the error is final (%s)", async (refusal, isFinal) => {
  const server = await openTestServer({ authenticate: () => Promise.reject(refusal) });
  for (const path of ["feed.onUpdate", "system.onState"]) {
    const text = await textOf(server, path, { json: {} });
    expect(text).toContain("event: serialized-error");
    expect(NEVER_AGAIN.test(text)).toBe(isFinal);
  }
});

test("[S10] a stream that the server ends at shutdown has no such field, so its client reconnects", async () => {
  const server = await openTestServer();
  server.fixture.run = ({ signal }) => untilAborted(signal);
  server.fixture.startRunner();
  const jobId = await server.fixture.create();
  await server.fixture.reaches(jobId, "PROCESSING");
  const res = await fetch(addressOf(server, "job.onUpdate", { json: { jobId } }));
  let text = "";
  const decoder = new TextDecoder();
  const read = (async () => {
    for await (const bytes of res.body ?? []) text += decoder.decode(bytes, { stream: true });
  })().then(
    () => "ended",
    () => "broke off",
  );
  await eventually(() => expect(text).toContain("Work started"));
  await server.restart();
  expect(await read).toBe("broke off");
  expect(text).not.toContain("retry:");
});

test("[S10] the stock client sees the end, and sends one request", async () => {
  const server = await openTestServer();
  server.fixture.startRunner();
  const jobId = await server.fixture.create();
  await server.fixture.reaches(jobId, "DELIVERED");
  let asked = 0;
  const counted: typeof fetch = (...args) => {
    asked += 1;
    return fetch(...args);
  };
  class Counted extends EventSource {
    constructor(url: string | URL) {
      super(url, { fetch: counted });
    }
  }
  const client = createTRPCClient<AppRouter>({
    links: [
      httpSubscriptionLink({
        url: `${server.url}/trpc`,
        transformer: superjson,
        EventSource: Counted,
      }),
    ],
  });
  const seen: string[] = [];
  await new Promise<void>((resolve, reject) => {
    client.job.onUpdate.subscribe(
      { jobId },
      { onData: ({ data }) => seen.push(data.type), onComplete: resolve, onError: reject },
    );
  });
  expect(seen).toEqual(["delivered"]);
  expect(asked).toBe(1);
});
