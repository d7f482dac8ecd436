import { writeFile } from "node:fs/promises";
import { join } from "node:path";
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

/** `until`: a file that lets the job end. */
async function createJob(until?: string): Promise<string> {
  const trpc = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${server.url}/trpc`, transformer: superjson })],
  });
  const input = { steps: 1, everyMs: 20, until };
  const { id } = await trpc.job.create.mutate({ kind: "steps", input });
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
    const gateOf = (name: string) => join(server.dataDir, name);
    const open = (name: string) => writeFile(gateOf(name), "");
    const early = await createJob();
    const late = await createJob(gateOf("late"));
    const between = await createJob(gateOf("between"));
    const all = [early, late, between];
    for (const each of clients) for (const id of all) each.subscribeToJob(id);
    await vi.waitFor(() => {
      for (const each of clients) {
        expect(each.endsOf(early)).toEqual({ told: 1, shows: true });
        expect(each.shown.get(late)).toContain("job:update PROCESSING");
        expect(each.shown.get(between)).toContain("job:update PROCESSING");
      }
    }, PATIENCE);

    // By then the server knows that the client received the first end.
    const shownOf = (each: GuideClient) => each.shown.get(late)?.length ?? 0;
    const before = clients.map(shownOf);
    await vi.waitFor(() => {
      for (const [index, each] of clients.entries()) {
        expect(shownOf(each)).toBeGreaterThan((before[index] ?? 0) + 4);
      }
    }, PATIENCE);

    await server.kill(signal);
    await open("between");
    await server.restart();
    await vi.waitFor(() => {
      for (const each of clients) expect(each.connects).toBe(2);
    }, PATIENCE);
    await open("late");
    await vi.waitFor(() => {
      for (const each of clients) {
        for (const id of all) expect(each.endsOf(id).shows).toBe(true);
      }
    }, PATIENCE);
    for (const each of clients) {
      for (const id of all) expect(each.endsOf(id).told).toBe(1);
      expect(each.errors).toEqual([]);
    }
  },
);
