/** S11: seven clients that share no code watch one job and see the same sequence. */
import {
  createTRPCClient,
  createWSClient,
  httpLink,
  httpSubscriptionLink,
  splitLink,
  wsLink,
} from "@trpc/client";
import { EventSource } from "eventsource";
import { io } from "socket.io-client";
import superjson from "superjson";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import type { JobEvent } from "#shared/events.ts";
import { legacyOfJob, type LegacyMessage } from "#shared/legacy.ts";
import { openEventSourceClient, openSocketClient } from "#test/transports/api.fixture.ts";
import type { ClientUnderTest } from "#test/transports/transport.suite.ts";
import { type PythonProgram, runStrict } from "./legacy/python.ts";
import { type Pages, startPages } from "./pages.ts";
import { type RunningServer, startServer } from "./server.ts";

const WAIT = { timeout: 120_000 };

/** The record of one client. */
interface Witness {
  name: string;
  messages(): LegacyMessage[];
  leave(): unknown;
}

let pages: Pages;
let server: RunningServer;
const witnesses: Witness[] = [];

beforeAll(async () => {
  pages = await startPages();
  server = await startServer({ env: { ...pages.env, CONCURRENCY: "1" } });
});
afterAll(async () => {
  for (const { leave } of witnesses) await leave();
  await server.stop();
  await pages.close();
});

const wsUrl = () => `${server.url.replace("http", "ws")}/trpc`;

function typedOverWebSocket(jobId: string): Witness {
  const client = createWSClient({ url: wsUrl() });
  const trpc = createTRPCClient<AppRouter>({ links: [wsLink({ client, transformer: superjson })] });
  return typed("tRPC over WebSocket", trpc, jobId, () => client.close());
}

function typedOverSse(jobId: string): Witness {
  const options = { url: `${server.url}/trpc`, transformer: superjson };
  const trpc = createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: httpSubscriptionLink({ ...options, EventSource }),
        false: httpLink(options),
      }),
    ],
  });
  return typed("tRPC over SSE", trpc, jobId, () => {});
}

function typed(
  name: string,
  trpc: ReturnType<typeof createTRPCClient<AppRouter>>,
  jobId: string,
  close: () => unknown,
): Witness {
  const events: JobEvent[] = [];
  const subscription = trpc.job.onUpdate.subscribe(
    { jobId, follow: true },
    { onData: ({ data }) => events.push(data) },
  );
  return {
    name,
    messages: () => events.flatMap(legacyOfJob),
    leave() {
      subscription.unsubscribe();
      return close();
    },
  };
}

function plain(name: string, client: ClientUnderTest, jobId: string): Witness {
  const watch = client.watchJob(jobId);
  return {
    name,
    messages: () => (watch.shown() as readonly JobEvent[]).flatMap(legacyOfJob),
    leave: () => watch.stop(),
  };
}

function legacy(transport: "websocket" | "polling", jobId: string): Witness {
  const messages: LegacyMessage[] = [];
  const socket = io(server.url, { transports: [transport], forceNew: true });
  socket.on("connect", () => socket.emit("subscribe:job", { job_id: jobId }));
  for (const name of ["job:update", "job:completed", "job:error"] as const) {
    socket.on(name, (...args: [LegacyMessage["payload"]]) => {
      expect(args).toHaveLength(1);
      messages.push({ name, payload: args[0] });
    });
  }
  return {
    name: `Socket.IO over ${transport}`,
    messages: () => messages,
    leave: () => socket.close(),
  };
}

function python(jobId: string): Witness {
  const clients = [{ jobId }];
  const [program] = runStrict(inject("python"), "Client", { url: server.url, clients }) as [
    PythonProgram,
  ];
  return {
    name: "python-socketio",
    messages() {
      expect(program.stderr()).toBe("");
      return program.lines
        .map((line) => JSON.parse(line) as [LegacyMessage["name"], LegacyMessage["payload"]])
        .filter(([name]) => name.startsWith("job:"))
        .map(([name, payload]) => ({ name, payload }));
    },
    leave: () => program.end(),
  };
}

/** The result of `say` for each witness, by name. */
const byName = <T>(say: (seen: LegacyMessage[]) => T) =>
  Object.fromEntries(witnesses.map(({ name, messages }) => [name, say(messages())]));
/** The same value for every witness. */
const all = <T>(what: T) => byName(() => what);

function endOf(seen: LegacyMessage[]): string {
  const end = seen.at(-1);
  return `${end?.name} ${end && "status" in end.payload && end.payload.status}`;
}

test("[S11] [S4] [L1] [L2] tRPC and the API over WebSocket and SSE, and three legacy clients, see one sequence", async () => {
  const trpc = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${server.url}/trpc`, transformer: superjson })],
  });
  const create = () =>
    trpc.job.create.mutate({
      kind: "article",
      input: {
        publisherDomain: pages.host,
        targetUrl: pages.targetUrl,
        anchorText: "self-watering planters",
      },
    });
  // Another job occupies the only worker and waits for its pages, so ours stays `PENDING`.
  pages.hold();
  await create();
  const job = await create();
  witnesses.push(
    typedOverWebSocket(job.id),
    typedOverSse(job.id),
    plain("the API over SSE", openEventSourceClient(server.url), job.id),
    plain("the API over WebSocket", openSocketClient(server.url), job.id),
    legacy("websocket", job.id),
    legacy("polling", job.id),
    python(job.id),
  );
  await vi.waitFor(() => expect(byName((seen) => seen.length)).toEqual(all(1)), WAIT);
  expect((await trpc.job.get.query({ jobId: job.id })).version).toBe(1);
  pages.release();
  await vi.waitFor(() => expect(byName(endOf)).toEqual(all("job:update DELIVERED")), WAIT);

  const log = (await trpc.job.events.query({ jobId: job.id, limit: 1000 })).items;
  const story = log.flatMap(legacyOfJob);
  expect(byName((seen) => seen)).toEqual(all(story));

  const told = log.map(({ progress, status, message }) => `${progress} ${status} ${message}`);
  expect(told).toEqual(
    expect.arrayContaining([
      "0 PENDING Job created and queued for processing",
      "10 PROCESSING Job started - Profiling publisher and target",
      "80 PROCESSING Content generated - Running quality checks",
      "100 DELIVERED Article successfully generated and delivered",
    ]),
  );
  expect(told.at(-1)).toMatch(/^100 DELIVERED/);
});
