/** The library that other apps import, against the real program: connection states, and resuming. */
import { EventSource } from "eventsource";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createJobwireClient, type JobwireClient } from "#client/lib/client.ts";
import { isFinal } from "#client/lib/failure.ts";
import { checkRecord } from "#test/streams/check-record.ts";
import type { JobEvent } from "#shared/events.ts";
import { type Pages, startPages } from "./pages.ts";
import { type RunningServer, startServer } from "./server.ts";

let pages: Pages;
let server: RunningServer;
let client: JobwireClient | undefined;

beforeAll(() => {
  vi.stubGlobal("EventSource", EventSource);
});

afterAll(() => {
  vi.unstubAllGlobals();
});

beforeEach(async () => {
  pages = await startPages();
  server = await startServer({ env: { ...pages.env, OFFLINE_PACE_MS: "0" } });
});

afterEach(async () => {
  client?.close();
  await server.stop();
  await pages.close();
});

test.each(["ws", "sse"] as const)(
  "[S2] [S5] over %s the connection is live, then stale, then live again, and no event is missing",
  async (transport) => {
    client = createJobwireClient({ url: server.url, transport });
    const { trpc, connection } = client;
    const states: string[] = [connection.get()];
    connection.subscribe(() => states.push(connection.get()));
    pages.hold();
    const job = await trpc.job.create.mutate({
      kind: "article",
      input: {
        publisherDomain: pages.host,
        targetUrl: pages.targetUrl,
        anchorText: "self-watering planters",
      },
    });
    const seen: JobEvent[] = [];
    const done = new Promise<void>((resolve, reject) => {
      trpc.job.onUpdate.subscribe(
        { jobId: job.id, lastEventId: "0" },
        { onData: ({ data }) => seen.push(data), onComplete: resolve, onError: reject },
      );
    });
    await vi.waitFor(() => expect(seen.at(-1)?.status).toBe("PROCESSING"), { timeout: 120_000 });
    // Opening and closing another stream does not count as a lost connection.
    trpc.job.onOutput.subscribe({ jobId: job.id }, { onData() {} }).unsubscribe();
    expect(connection.get()).toBe("live");
    await server.kill("SIGKILL");
    await vi.waitFor(() => expect(connection.get()).toBe("stale"), { timeout: 120_000 });
    pages.release();
    await server.restart();
    await done;
    expect(connection.get()).toBe("live");
    expect(states.filter((state, index) => state !== states[index - 1])).toEqual([
      "connecting",
      "live",
      "stale",
      "live",
    ]);
    const { items: log } = await trpc.job.events.query({ jobId: job.id, limit: 1000 });
    expect(checkRecord(log, [{ after: 0, seen }])).toEqual([]);
    expect(seen).toHaveLength(log.length);
  },
);

test("an error of the server is final, and an unreachable server is not", async () => {
  client = createJobwireClient({ url: server.url });
  const missing = { jobId: "01a20665-8cab-704e-9437-209e0533c3ad" };
  const refused = await client.trpc.job.get.query(missing).catch((error: unknown) => error);
  expect(isFinal(refused)).toBe(true);
  await server.kill("SIGKILL");
  const away = await client.trpc.job.get.query(missing).catch((error: unknown) => error);
  expect(isFinal(away)).toBe(false);
});
