/** A stock client serialises an input that is used many times with annotations, which is no attack and must work. */
import { createTRPCClient, createWSClient, httpLink, wsLink } from "@trpc/client";
import superjson from "superjson";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DrivenServer, startDrivenServer } from "#e2e/delivery/driven-server.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";

const JOBS = 10_000;

let server: DrivenServer;
beforeAll(async () => {
  server = await startDrivenServer({ SHUTDOWN_GRACE_MS: "0", CONCURRENCY: "1" });
});
afterAll(() => server.stop());

test.each(["HTTP", "WebSocket"])(
  "a batch with one input object for 10,000 jobs is created over %s, each with that input",
  async (over) => {
    const socket = createWSClient({ url: `${server.url.replace("http", "ws")}/trpc` });
    const overSocket = wsLink<AppRouter>({ client: socket, transformer: superjson });
    const reader = createTRPCClient<AppRouter>({ links: [overSocket] });
    const client =
      over === "WebSocket"
        ? reader
        : createTRPCClient<AppRouter>({
            links: [httpLink({ url: `${server.url}/trpc`, transformer: superjson })],
          });
    const input = { topic: "planters", words: [1, 2, 3], nothing: undefined, at: new Date(0) };
    const job = { kind: "driven", input };
    const batch = await client.batch.create.mutate({
      jobs: Array.from({ length: JOBS }, () => job),
    });
    expect(batch.total).toBe(JOBS);

    const stored = JSON.parse(JSON.stringify(input)) as unknown;
    let seen = 0;
    let cursor: string | undefined;
    do {
      const page = await reader.job.list.query({ batchId: batch.id, limit: 200, cursor });
      const jobs = await Promise.all(
        page.items.map(({ id }) => reader.job.get.query({ jobId: id })),
      );
      for (const each of jobs) expect(each.input).toEqual(stored);
      seen += jobs.length;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toBe(JOBS);
    await client.batch.cancel.mutate({ batchId: batch.id });
    await socket.close();
  },
);
