/** Our client at the limits of a user: it waits, and misses nothing. */
import { TRPCClientError } from "@trpc/client";
import { EventSource } from "eventsource";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { App } from "#server/app.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { testKind } from "#test/transports/limits.fixture.ts";
import { startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { createJobwireClient } from "./client.ts";
import { failureOf, isFinal, waitAfter } from "./failure.ts";

let data: TestData;
let app: App;
beforeEach(async () => {
  vi.stubGlobal("EventSource", EventSource);
  data = await newTestData();
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await app.close();
  await data.remove();
});

async function open(env: Record<string, string>, transport: "ws" | "sse") {
  app = await startAppWithTokens(data, { env, kinds: [testKind] });
  const client = createJobwireClient({ url: app.url, transport, token: await tokenFor("ann") });
  onTestFinished(() => client.close());
  return client.trpc;
}

/** Watches the whole log of a settled job. */
function watch(trpc: Awaited<ReturnType<typeof open>>, jobId: string) {
  const seqs: number[] = [];
  const ended = new Promise<"complete" | Error>((resolve) => {
    trpc.job.onUpdate.subscribe(
      { jobId, lastEventId: "0" },
      {
        onData: ({ data: event }) => void seqs.push(event.seq),
        onComplete: () => resolve("complete"),
        onError: resolve,
      },
    );
  });
  return { seqs, ended };
}

test.each(["ws", "sse"] as const)(
  "[R7] a watch over %s that is refused waits as long as the server says, and receives everything",
  async (transport) => {
    const trpc = await open({ LIMIT_USER_CALLS: "1" }, transport);
    const { id: jobId } = await trpc.job.create.mutate({ kind: testKind.name, input: {} });
    const { version } = await trpc.job.cancel.mutate({ jobId });
    const refusals: unknown[] = [];
    while (refusals.length === 0) {
      await trpc.system.info.query().catch((error: unknown) => void refusals.push(error));
    }
    const [refusal] = refusals;
    expect(refusal).toBeInstanceOf(TRPCClientError);
    expect(failureOf(refusal)).toMatchObject({ code: "RATE_LIMITED" });
    expect(failureOf(refusal).message).toMatch(/calls a second.* Try again in/);
    expect(isFinal(refusal)).toBe(false);

    const { seqs, ended } = watch(trpc, jobId);
    expect(await ended).toBe("complete");
    expect(seqs).toEqual(Array.from({ length: version }, (_, n) => n + 1));
  },
);

test.each(["ws", "sse"] as const)(
  "[R7] a watch over %s beyond the limit of subscriptions begins when another has ended",
  async (transport) => {
    const trpc = await open({ LIMIT_USER_SUBSCRIPTIONS: "1" }, transport);
    const { id: jobId } = await trpc.job.create.mutate({ kind: testKind.name, input: {} });
    const { version } = await trpc.job.cancel.mutate({ jobId });
    const { promise: isOpen, resolve } = Promise.withResolvers<void>();
    const other = trpc.system.onState.subscribe(undefined, { onData: () => resolve() });
    await isOpen;
    const { seqs, ended } = watch(trpc, jobId);
    // The refusals of the second one are not over.
    expect(seqs).toEqual([]);
    other.unsubscribe();
    expect(await ended).toBe("complete");
    expect(seqs).toEqual(Array.from({ length: version }, (_, n) => n + 1));
  },
);

test("[R7] clients that are refused together come back one after the other, and none later than it must", () => {
  const error = TRPCClientError.from({
    error: { code: -1, message: "", data: { appCode: "RATE_LIMITED", retryAfterMs: 4000 } },
  } as never);
  const waits = Array.from({ length: 500 }, () => waitAfter(error, 9));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(4000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(5000);
  expect(new Set(waits).size).toBeGreaterThan(400);
});
