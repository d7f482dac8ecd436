import { fileURLToPath } from "node:url";
import { createTRPCClient, httpLink } from "@trpc/client";
import superjson from "superjson";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { type RunningServer, startServer } from "#e2e/server.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { GuideClient, TRANSPORTS, VERSIONS } from "./guide-client.ts";

const APP = fileURLToPath(new URL("../cluster/app.ts", import.meta.url));
const PATIENCE = { timeout: 120_000, interval: 20 };

let server: RunningServer;
beforeEach(async () => {
  const env = { SHUTDOWN_GRACE_MS: "100", LEASE_MS: "2000", MAX_ATTEMPTS: "20" };
  server = await startServer({ main: APP, env });
});
afterEach(() => server.stop());

async function createJob(steps: number, everyMs: number): Promise<string> {
  const trpc = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${server.url}/trpc`, transformer: superjson })],
  });
  const { id } = await trpc.job.create.mutate({ kind: "steps", input: { steps, everyMs } });
  return id;
}

/** One client for each version and transport. */
function connectAll(): GuideClient[] {
  const clients = VERSIONS.flatMap(([, io]) =>
    TRANSPORTS.map((transports) => new GuideClient(io, server.url, transports)),
  );
  onTestFinished(() => clients.forEach((each) => each.disconnect()));
  return clients;
}

test.each([["SIGTERM"], ["SIGKILL"]] as const)(
  "[L5] the older browser client shows the end of every job after %s with a single subscription",
  async (signal) => {
    const clients = connectAll();
    const [early, long, between] = [
      await createJob(1, 1),
      await createJob(30, 100),
      await createJob(1, 2000),
    ];
    for (const each of clients) for (const id of [early, long, between]) each.subscribeToJob(id);
    await vi.waitFor(() => {
      for (const each of clients) {
        expect(each.endsOf(early)).toEqual({ told: 1, shows: true });
        expect(each.shown.get(long)).toContain("job:update PROCESSING");
        expect(each.shown.get(between)).toContain("job:update PROCESSING");
      }
    }, PATIENCE);

    // By then the server knows that the client received the first end.
    const shownOf = (each: GuideClient) => each.shown.get(long)?.length ?? 0;
    const before = clients.map(shownOf);
    await vi.waitFor(() => {
      for (const [index, each] of clients.entries()) {
        expect(shownOf(each)).toBeGreaterThan((before[index] ?? 0) + 4);
      }
    }, PATIENCE);

    await server.kill(signal);
    // An end that was told just before may be told again: that it was received is not known.
    const told = clients.map((each) => [long, between].filter((id) => each.endsOf(id).told > 0));
    await server.restart();
    await vi.waitFor(() => {
      for (const each of clients) {
        expect(each.connects).toBe(2);
        for (const id of [early, long, between]) expect(each.endsOf(id).shows).toBe(true);
      }
    }, PATIENCE);
    for (const [index, each] of clients.entries()) {
      const once = [early, long, between].filter((id) => !told[index]?.includes(id));
      expect(once.map((id) => each.endsOf(id).told)).toEqual(once.map(() => 1));
      expect(each.errors).toEqual([]);
    }
  },
  120_000,
);
