/** Handles of jobs, on a real server. */
import { EventSource } from "eventsource";
import {
  afterEach,
  beforeEach,
  describe,
  expect,
  expectTypeOf,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { z } from "zod";
import { blocked, defineKind, Failure, type KindMapOf } from "#server/kinds/define.ts";
import type { JobEventType } from "#shared/events.ts";
import type { ServerTypes } from "#shared/kind-types.ts";
import { openCable } from "#test/transports/cable.fixture.ts";
import { openTestServer } from "#test/transports/trpc.fixture.ts";
import { createJobwireClient, JobFailedError } from "./client.ts";

/** The jobs of this kind do each step when the test lets them. */
let steps: PromiseWithResolvers<void>[];

const letters = defineKind({
  name: "letters",
  input: z.object({ to: z.string(), count: z.int().default(1) }),
  details: z.object({ written: z.int() }),
  output: z.object({ written: z.int() }),
  async run({ input, draft, log, progress }) {
    for (let written = 1; written <= input.count; written += 1) {
      await steps[written - 1]?.promise;
      log("info", `Letter ${written} to ${input.to}`);
      await draft(`Dear ${input.to}. `);
      await progress(written, `Letter ${written}`, { written });
    }
    if (input.to === "elsewhere") throw new Failure("NO_ADDRESS", "It has no address");
    if (input.to === "unsure") return blocked("Look at it", { written: input.count });
    return { written: input.count };
  },
});
type App = ServerTypes<KindMapOf<[typeof letters]>>;

beforeEach(() => {
  vi.stubGlobal("EventSource", EventSource);
  steps = [];
});
afterEach(() => vi.unstubAllGlobals());

function gates(count: number): void {
  steps = Array.from({ length: count }, () => Promise.withResolvers<void>());
}

async function open(transport: "ws" | "sse") {
  const server = await openTestServer({ kinds: [letters] });
  const cable = await openCable(server.url);
  const client = createJobwireClient<App>({ url: cable.url, transport });
  onTestFinished(() => client.close());
  return { ...server, cable, client };
}

describe.each(["ws", "sse"] as const)("over %s", (transport) => {
  test("[W1] [W5] shows who is there and who writes, through a lost connection", async () => {
    const { client, cable, url } = await open(transport);
    const other = createJobwireClient<App>({ url, transport });
    onTestFinished(() => other.close());
    const job = await client.kinds.letters.create({ to: "ann", count: 0 });
    const states = client.presence({ jobId: job.id }, { visible: false });
    const until = async (count: number, typing: number) => {
      for await (const state of states) {
        if (state.count === count && state.typing.count === typing) break;
      }
    };
    // Leaving a loop ends its iterator.
    states.return = async () => ({ done: true, value: undefined });
    await until(0, 0);
    const seen = other.job(job.id).presence();
    expect((await seen.next()).value).toMatchObject({ jobId: job.id, people: [] });
    await until(1, 0);
    cable.cut();
    await other.job(job.id).setTyping(true);
    await until(1, 1);
    await other.job(job.id).setTyping(false);
    await until(1, 0);
    client.close();
    await expect(states.next()).rejects.toThrow("closed");
  });

  test("a job is created with the types of its kind, and gives its events, its draft and its output", async () => {
    const { client, fixture } = await open(transport);
    const job = await client.kinds.letters.create({ to: "Ann", count: 2 });
    const types: JobEventType[] = [];
    const written: number[] = [];
    fixture.startRunner();
    for await (const event of job.events({ lastEventId: "0" })) {
      types.push(event.type);
      expectTypeOf(event.details).toEqualTypeOf<{ written: number } | undefined>();
      if (event.details !== undefined) written.push(event.details.written);
    }
    expect(types).toEqual(["created", "started", "progress", "progress", "delivered"]);
    expect(written).toEqual([1, 2, 2]);
    let draft = "";
    for await (const text of job.output()) draft = text;
    expect(draft).toBe("Dear Ann. Dear Ann. ");
    const lines: string[] = [];
    for await (const { seq, level, message } of job.logs()) {
      lines.push(`${seq} ${level} ${message}`);
    }
    expect(lines).toEqual(["1 info Letter 1 to Ann", "2 info Letter 2 to Ann"]);
    const later = client.job(job.id).logs({ lastEventId: "1", follow: true });
    expect((await later.next()).value).toMatchObject({ seq: 2, attempt: 1 });
    await later.return?.();
    const output = await job.result();
    expectTypeOf(output).toEqualTypeOf<{ written: number }>();
    expect(output).toEqual({ written: 2 });
    expect(await job.waiting()).toBeNull();
    expect(await job.get()).toMatchObject({ id: job.id, input: { to: "Ann", count: 2 }, output });
    // Of a settled job the newest state comes, and then the end.
    const again: JobEventType[] = [];
    for await (const { type } of client.job(job.id).events()) again.push(type);
    expect(again).toEqual(["delivered"]);
  });

  test("a handle outlives its connection, and misses nothing", async () => {
    const { client, cable, fixture } = await open(transport);
    const COUNT = 4;
    gates(COUNT);
    const job = await client.kinds.letters.create({ to: "Ann", count: COUNT });
    fixture.startRunner();
    const result = job.result();
    const seqs: number[] = [];
    for await (const { seq, details } of job.events({ lastEventId: "0" })) {
      seqs.push(seq);
      const next = details?.written ?? 0;
      if (next % 2 === 1) cable.cut();
      steps[next]?.resolve();
    }
    expect(seqs).toEqual(Array.from({ length: COUNT + 3 }, (_, n) => n + 1));
    expect(await result).toEqual({ written: COUNT });
  });

  test("a loop that is left has no watch any more, and a signal ends one with its reason", async () => {
    const { client, watches } = await open(transport);
    const job = await client.kinds.letters.create({ to: "Ann" });
    for await (const { type } of job.events()) {
      expect(type).toBe("created");
      break;
    }
    await vi.waitFor(() => expect(watches()).toBe(0));
    const leave = new AbortController();
    const result = job.result({ signal: leave.signal });
    await vi.waitFor(() => expect(watches()).toBe(1));
    leave.abort(new Error("enough"));
    await expect(result).rejects.toThrow("enough");
    await vi.waitFor(() => expect(watches()).toBe(0));
  });

  test("a reader that leaves while it waits has no watch any more", async () => {
    const { client, watches } = await open(transport);
    const job = await client.kinds.letters.create({ to: "Ann" });
    for (const entries of [job.events(), job.output()]) {
      await entries.next();
      const waiting = entries.next();
      await vi.waitFor(() => expect(watches()).toBe(1));
      expect(await entries.return?.()).toEqual({ done: true, value: undefined });
      expect(await waiting).toEqual({ done: true, value: undefined });
      await vi.waitFor(() => expect(watches()).toBe(0));
    }
  });

  test("closing the client ends all watches, and its jobs do not seem to have settled", async () => {
    const { client, cable, watches } = await open(transport);
    const job = await client.kinds.letters.create({ to: "Ann" });
    const [events, draft, unread] = [job.events(), job.output(), job.events()];
    const completed = Promise.withResolvers<void>();
    client.trpc.feed.onUpdate.subscribe(undefined, { onComplete: completed.resolve });
    await Promise.all([events.next(), draft.next()]);
    const waiting = [events.next(), draft.next(), job.result()].map((each) =>
      expect(each).rejects.toThrow("The client was closed."),
    );
    await vi.waitFor(() => expect(watches()).toBe(4));
    client.close();
    await Promise.all([...waiting, completed.promise]);
    await expect(unread.next()).rejects.toThrow("The client was closed.");
    await vi.waitFor(() => expect(watches()).toBe(0));
    // A subscription that is opened later lasts until the next time.
    const later = job.events();
    expect(await later.next()).toMatchObject({ value: { status: "PENDING" } });
    client.close();
    await vi.waitFor(() => expect(watches()).toBe(0));
    await vi.waitFor(() => expect(cable.open()).toBe(0));
  });

  test("a result outlasts an answer that is lost after the last event", async () => {
    const { client, fixture } = await open(transport);
    const job = await client.kinds.letters.create({ to: "Ann" });
    const { fetch } = globalThis;
    let lost = 0;
    vi.stubGlobal("fetch", (url: string | URL, init: RequestInit) => {
      if (!String(url).includes("letters.get") || lost === 1) return fetch(url, init);
      lost += 1;
      return Promise.reject(new TypeError("fetch failed"));
    });
    const result = job.result();
    fixture.startRunner();
    expect(await result).toEqual({ written: 1 });
    expect(lost).toBe(1);
  });

  test("a job that fails or is cancelled has no result but an error that says why", async () => {
    const { client, fixture } = await open(transport);
    const failing = await client.kinds.letters.create({ to: "elsewhere" });
    fixture.startRunner();
    const error = await failing.result().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(JobFailedError);
    expect(error).toMatchObject({
      code: "NO_ADDRESS",
      message: "It has no address",
      job: { id: failing.id, status: "ABORTED" },
    });
    gates(1);
    const waiting = await client.kinds.letters.create({ to: "Ann" });
    const result = waiting.result();
    expect(await waiting.cancel("no more")).toMatchObject({ status: "ABORTED" });
    await expect(result).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(waiting.cancel()).rejects.toMatchObject({ data: { code: "CONFLICT" } });
  });

  test("a blocked job has no result, unless the caller waits for the decision", async () => {
    const { client, fixture } = await open(transport);
    fixture.startRunner();
    const job = await client.kinds.letters.create({ to: "unsure" });
    await expect(job.result()).rejects.toMatchObject({
      code: "BLOCKED",
      message: "Look at it",
      job: { output: { written: 1 } },
    });
    const result = job.result({ waitForDecision: true });
    await client.trpc.job.approve.mutate({ jobId: job.id });
    expect(await result).toEqual({ written: 1 });
  });

  test("a job of another kind, and one that does not exist, are not found", async () => {
    const { client } = await open(transport);
    const { id } = await client.trpc.job.create.mutate({ kind: "work", input: {} } as never);
    for (const job of [client.kinds.letters.job(id), client.job(crypto.randomUUID())]) {
      const missing = { data: { appCode: "NOT_FOUND" } };
      await expect(job.get()).rejects.toMatchObject(missing);
      await expect(job.events().next()).rejects.toMatchObject(missing);
      await expect(job.output().next()).rejects.toMatchObject(missing);
      await expect(job.result()).rejects.toMatchObject(missing);
    }
    expect(await client.job(id).get()).toMatchObject({ kind: "work" });
  });
});

test("many jobs are created as a batch, and a key makes one job of two calls", async () => {
  const { client } = await open("ws");
  const inputs = [{ to: "Ann" }, { to: "Bob", count: 2 }];
  const batch = await client.kinds.letters.createMany(inputs, { name: "Two" });
  expect(batch).toMatchObject({ name: "Two", total: 2 });
  const once = { idempotencyKey: "once" };
  const { id } = await client.kinds.letters.create({ to: "Ann" }, once);
  expect((await client.kinds.letters.create({ to: "Ann" }, once)).id).toBe(id);
  const { items } = await client.kinds.letters.list({ batchId: batch.id });
  expect(items).toHaveLength(2);
  expectTypeOf(items[0]?.details).toEqualTypeOf<{ written: number } | undefined>();
});

test("the clients of kinds are the same at each access, and awaiting them asks for no kind", async () => {
  const { client } = await open("ws");
  expect(client.kinds.letters).toBe(client.kinds.letters);
  const kinds = await Promise.resolve(client.kinds);
  expect(Object.prototype.toString.call(kinds)).toBe("[object Object]");
});

test("the clients of kinds can be printed, as any object", async () => {
  const { client } = await open("ws");
  expect(Reflect.apply(String, undefined, [client.kinds])).toBe("[object Object]");
  expect(JSON.stringify(client.kinds)).toBe("{}");
});

test.each(["", "/", "//"])("a URL that ends with %j is the server's", async (slashes) => {
  const { url } = await openTestServer({ kinds: [letters] });
  for (const transport of ["ws", "sse"] as const) {
    const client = createJobwireClient<App>({ url: `${url}${slashes}`, transport });
    onTestFinished(() => client.close());
    const job = await client.kinds.letters.create({ to: "Ann" });
    expect(await job.events().next()).toMatchObject({ value: { status: "PENDING" } });
  }
});

test("what no kind takes does not compile", async () => {
  const { client } = await open("ws");
  const refused = [
    // @ts-expect-error: a field is missing
    () => client.kinds.letters.create({}),
    // @ts-expect-error: a field has another type
    () => client.kinds.letters.create({ to: 5 }),
    // @ts-expect-error: there is no such field
    () => client.kinds.letters.create({ to: "Ann", cc: "Bob" }),
    // @ts-expect-error: there is no such kind
    () => client.kinds.lettres.create({ to: "Ann" }),
    // @ts-expect-error: the output has no such field
    async () => (await client.kinds.letters.job("x").result()).sent,
  ];
  expect(refused).toHaveLength(5);
});
