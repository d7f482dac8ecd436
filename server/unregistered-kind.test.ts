/** Jobs of a kind that a later start of the server does not register. */
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import { pino } from "pino";
import superjson from "superjson";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import type { JobEvent } from "#shared/events.ts";
import { isSettled } from "#shared/job.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { takeNotes } from "#test/transports/trpc.fixture.ts";
import { createApp } from "./app.ts";
import { loadConfig } from "./config.ts";
import { openEngine } from "./engine/index.ts";
import { startRetention } from "./jobs/retention.ts";
import { type AnyKind, blocked, defineKind, Failure } from "./kinds/define.ts";

const DAY_MS = 24 * 60 * 60_000;
const UNKNOWN = {
  status: "ABORTED",
  error: { code: "UNKNOWN_KIND", message: 'This server does not know the kind "ends"' },
};
const log = pino({ level: "silent" });
const inTwoDays = () => new Date(Date.now() + 2 * DAY_MS);

/** Ends as its input says. */
const ends = defineKind({
  name: "ends",
  input: z.object({ how: z.enum(["delivered", "blocked", "failed", "never"]) }),
  details: z.object({ step: z.int() }),
  output: z.object({ n: z.int() }),
  async run({ input: { how }, progress, draft, signal }) {
    await draft("A draft");
    await progress(50, "Half way", { step: 1 });
    if (how === "failed") throw new Failure("NO_LUCK", "It did not work");
    if (how === "never") {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    }
    return how === "blocked" ? blocked("Look", { n: 2 }) : { n: 1 };
  },
});

let data: TestData;
beforeEach(async () => {
  data = await newTestData();
});
afterEach(() => data.remove());

async function start(kinds: readonly AnyKind[], env: Record<string, string> = {}) {
  const own = { PORT: "0", SHUTDOWN_GRACE_MS: "0" };
  const app = await createApp(loadConfig({ ...data.env, ...own, ...env }), { kinds, log });
  const socket = createWSClient({ url: `${app.url.replace("http", "ws")}/trpc` });
  const client = createTRPCClient<AppRouter>({
    links: [wsLink({ client: socket, transformer: superjson })],
  });
  async function close() {
    await socket.close();
    await app.close();
  }
  onTestFinished(close);
  const job = (jobId: string) => client.job.get.query({ jobId });
  return {
    client,
    close,
    job,
    watch: (jobId: string) =>
      takeNotes<JobEvent>((handlers) =>
        client.job.onUpdate.subscribe({ jobId, lastEventId: "0" }, handlers),
      ),
    reaches: (jobId: string, state: object) =>
      vi.waitFor(async () => expect(await job(jobId)).toMatchObject(state)),
  };
}

type Started = Awaited<ReturnType<typeof start>>;

async function createJobs({ client }: Started, ...ways: string[]): Promise<string[]> {
  const jobs = ways.map((how) => ({ kind: "ends", input: { how } }));
  const { id: batchId } = await client.batch.create.mutate({ jobs });
  const { items } = await client.job.list.query({ batchId });
  // Lists begin with the newest.
  return items.map(({ id }) => id).toReversed();
}

/** Jobs that ended so while their kind was registered, on a server that does not know it. */
async function endedJobs(...ways: ("delivered" | "blocked" | "failed")[]) {
  const before = await start([ends]);
  const ids = await createJobs(before, ...ways);
  await Promise.all(
    ids.map((id) =>
      vi.waitFor(async () => expect(isSettled((await before.job(id)).status)).toBe(true)),
    ),
  );
  const jobs = await Promise.all(ids.map(before.job));
  await before.close();
  return { ids, jobs, after: await start([]) };
}

describe("[J17] a settled job whose kind is not registered any more", () => {
  test("is read and listed as before, with its log and its batch", async () => {
    const { ids, jobs, after } = await endedJobs("delivered", "blocked", "failed");
    const { client, job } = after;
    expect(await client.kind.list.query()).toEqual([]);
    expect(await Promise.all(ids.map(job))).toEqual(jobs);
    expect(jobs).toMatchObject([
      { status: "DELIVERED", output: { n: 1 }, details: { step: 1 } },
      { status: "BLOCKED", output: { n: 2 }, message: "Look" },
      { status: "ABORTED", error: { code: "NO_LUCK" } },
    ]);
    for (const query of [{}, { kind: "ends" }, { batchId: jobs[0]?.batchId ?? "" }]) {
      const { items } = await client.job.list.query(query);
      expect(items.map(({ id }) => id)).toEqual(ids.toReversed());
    }
    const batchId = jobs[0]?.batchId ?? "";
    expect(await client.batch.get.query({ batchId })).toMatchObject({ delivered: 1, blocked: 1 });
    const { items } = await client.job.events.query({ jobId: ids[0] ?? "" });
    expect(items.map(({ type }) => type)).toEqual(["created", "started", "progress", "delivered"]);
  });

  test("is watched: its events, its draft, its batch and its owner's feed", async () => {
    const { ids, jobs, after } = await endedJobs("delivered");
    const { client, watch } = after;
    const [jobId = ""] = ids;
    const batchId = jobs[0]?.batchId ?? "";
    const all = { lastEventId: "0" };
    const watches = {
      events: watch(jobId),
      draft: takeNotes((handlers) => client.job.onOutput.subscribe({ jobId, ...all }, handlers)),
      batch: takeNotes((handlers) => client.batch.onUpdate.subscribe({ batchId }, handlers)),
    };
    const feed = takeNotes((handlers) => client.feed.onUpdate.subscribe(all, handlers));
    for (const notes of Object.values(watches)) {
      await vi.waitFor(() => expect(notes.state).toBe("complete"));
    }
    expect(watches.events.data.at(-1)).toMatchObject({ type: "delivered", details: { step: 1 } });
    expect(watches.draft.data).toMatchObject([{ text: "A draft" }]);
    expect(watches.batch.data).toMatchObject([{ delivered: 1 }]);
    await vi.waitFor(() => expect(JSON.stringify(feed.data)).toContain(jobId));
  });

  test("is approved and rejected; it cannot run again until its kind is registered again", async () => {
    const { ids, after } = await endedJobs("blocked", "blocked", "blocked", "failed");
    const { client, job, reaches } = after;
    const [approved = "", rejected = "", regenerated = "", retried = ""] = ids;
    await client.job.approve.mutate({ jobId: approved });
    await client.job.reject.mutate({ jobId: rejected });
    expect(await job(approved)).toMatchObject({ status: "DELIVERED", output: { n: 2 } });
    expect(await job(rejected)).toMatchObject({ status: "ABORTED" });
    await client.job.regenerate.mutate({ jobId: regenerated });
    await client.job.retry.mutate({ jobId: retried });
    await reaches(regenerated, UNKNOWN);
    await reaches(retried, UNKNOWN);
    await after.close();

    const again = await start([ends]);
    await again.client.job.retry.mutate({ jobId: regenerated });
    await again.reaches(regenerated, { status: "BLOCKED", output: { n: 2 } });
  });

  test("is deleted when its time has come", async () => {
    const { ids, after } = await endedJobs("delivered", "blocked", "failed");
    await after.close();
    const engine = await openEngine(loadConfig(data.env));
    onTestFinished(() => engine.close());
    onTestFinished(startRetention({ engine, days: 1, now: inTwoDays, log }));
    for (const id of ids) {
      await vi.waitFor(async () => expect(await engine.getJob(id)).toBeUndefined());
    }
  });
});

test("[J17] jobs that wait or run when their kind goes end with an error that names the kind", async () => {
  const before = await start([ends], { CONCURRENCY: "1" });
  const [running = "", waiting = ""] = await createJobs(before, "never", "delivered");
  await before.reaches(running, { status: "PROCESSING", progress: 50 });
  expect(await before.job(waiting)).toMatchObject({ status: "PENDING" });
  await before.close();
  const after = await start([]);
  for (const id of [running, waiting]) {
    const notes = after.watch(id);
    await vi.waitFor(() => expect(notes.state).toBe("complete"));
    expect(notes.data.at(-1)).toMatchObject({
      type: "aborted",
      message: expect.stringContaining(UNKNOWN.error.message),
    });
    expect(await after.job(id)).toMatchObject({ ...UNKNOWN, output: null });
  }
});
