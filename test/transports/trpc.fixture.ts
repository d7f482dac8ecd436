/** For tests: the transport on a real http server, engine and runner, with the stock client over every link. */
import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  httpSubscriptionLink,
  splitLink,
  type TRPCClientError,
  wsLink,
} from "@trpc/client";
import { EventSource } from "eventsource";
import { pino } from "pino";
import superjson from "superjson";
import { onTestFinished } from "vitest";
import type { AnyKind } from "#server/kinds/define.ts";
import { openJobsFixture, type JobsFixture } from "#test/jobs/jobs.fixture.ts";
import { openSessions } from "#server/sessions/open.ts";
import { openStreams } from "#server/streams/open.ts";
import type { TransportContext } from "#server/transports/contract.ts";
import { mountTransports } from "#server/transports/mount.ts";
import { createOriginPolicy } from "#server/transports/origins.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import type { DraftFrame, JobEvent } from "#shared/events.ts";
import type { FeedEntry } from "#shared/feed.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { createTrpcTransport } from "#server/transports/trpc/transport.ts";

export type Client = ReturnType<typeof createTRPCClient<AppRouter>>;
export type Link = "ws" | "sse";

export interface TestServer {
  url: string;
  fixture: JobsFixture;
  /** Server's ends of all connections, also of those that were closed since. */
  sockets: Duplex[];
  /** Lines of the transport's log. */
  logged: { msg: string; level: number }[];
  watches(): number;
  /** The server ends as at a shutdown, and another one starts on the same port and data. */
  restart(): Promise<void>;
}

export async function openTestServer(
  options: Partial<Pick<TransportContext, "authenticate" | "ping" | "backpressure">> & {
    /** Beside "work". */
    kinds?: readonly AnyKind[];
  } = {},
): Promise<TestServer> {
  const fixture = await openJobsFixture(options.kinds);
  const sockets: Duplex[] = [];
  const logged: TestServer["logged"] = [];
  const log = pino({ level: "debug" }, { write: (line) => void logged.push(JSON.parse(line)) });

  async function serve(port: number) {
    const streams = openStreams(fixture.engine, { lookEveryMs: 50 });
    const transport = createTrpcTransport({
      jobs: fixture.jobs,
      streams,
      sessions: openSessions(fixture.engine),
      authenticate: options.authenticate ?? (async () => LOCAL_PRINCIPAL),
      system: {
        version: "1.2.3",
        engine: fixture.engine.name,
        limits: { maxBatchJobs: 10_000, concurrency: 5, maxAttempts: 3 },
        writers: ["offline"],
      },
      ping: options.ping ?? { intervalMs: 25_000, timeoutMs: 60_000 },
      backpressure: options.backpressure ?? { highWaterBytes: 256 * 1024, stallTimeoutMs: 60_000 },
      log,
    });
    const server = createServer();
    server.on("connection", (socket) => sockets.push(socket));
    const origins = createOriginPolicy({
      origins: [],
      host: "127.0.0.1",
      allowedHosts: [],
      authenticated: options.authenticate !== undefined,
    });
    mountTransports(server, [transport], origins);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return {
      streams,
      port: (server.address() as AddressInfo).port,
      async close() {
        const closed = new Promise((resolve) => server.close(resolve));
        await transport.close();
        server.closeAllConnections();
        await closed;
        streams.close();
      },
    };
  }

  let serving = await serve(0);
  onTestFinished(async () => {
    await serving.close();
    await fixture.close();
  });
  return {
    url: `http://127.0.0.1:${serving.port}`,
    fixture,
    sockets,
    logged,
    watches: () => serving.streams.count().watches,
    async restart() {
      await serving.close();
      await fixture.crash();
      serving = await serve(serving.port);
    },
  };
}

/** The stock client: everything over one WebSocket, or calls over HTTP and subscriptions over SSE. */
export function openClient(url: string, link: Link, token?: string): Client {
  const connectionParams = token === undefined ? undefined : () => ({ token });
  const params = connectionParams && { connectionParams };
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  if (link === "ws") {
    const socket = createWSClient({
      url: `${url.replace("http", "ws")}/trpc`,
      retryDelayMs: () => 5,
      ...params,
    });
    onTestFinished(() => void socket.close());
    return createTRPCClient<AppRouter>({
      links: [wsLink({ client: socket, transformer: superjson })],
    });
  }
  return createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: httpSubscriptionLink({
          url: `${url}/trpc`,
          transformer: superjson,
          EventSource,
          ...params,
        }),
        false: httpBatchLink({ url: `${url}/trpc`, transformer: superjson, headers }),
      }),
    ],
  });
}

/** Everything a subscription told. */
export interface Notes<T> {
  ids: string[];
  data: T[];
  errors: TRPCClientError<AppRouter>[];
  state: "open" | "complete" | "failed";
  unsubscribe(): void;
}

type Input<P extends { subscribe: (...args: never[]) => unknown }> = Parameters<P["subscribe"]>[0];
type Handlers<T> = {
  onData: (entry: { id: string; data: T }) => void;
  onError: (error: TRPCClientError<AppRouter>) => void;
  onComplete: () => void;
};

export const watchJob = (client: Client, input: Input<Client["job"]["onUpdate"]>) =>
  takeNotes<JobEvent>((handlers) => client.job.onUpdate.subscribe(input, handlers));
export const watchDraft = (client: Client, input: Input<Client["job"]["onOutput"]>) =>
  takeNotes<DraftFrame>((handlers) => client.job.onOutput.subscribe(input, handlers));
export const watchBatch = (client: Client, input: Input<Client["batch"]["onUpdate"]>) =>
  takeNotes<BatchAggregate>((handlers) => client.batch.onUpdate.subscribe(input, handlers));
export const watchFeed = (client: Client, input?: Input<Client["feed"]["onUpdate"]>) =>
  takeNotes<FeedEntry>((handlers) => client.feed.onUpdate.subscribe(input, handlers));

function takeNotes<T>(subscribe: (handlers: Handlers<T>) => { unsubscribe(): void }): Notes<T> {
  const notes: Notes<T> = {
    ids: [],
    data: [],
    errors: [],
    state: "open",
    unsubscribe: () => subscription.unsubscribe(),
  };
  const subscription = subscribe({
    onData({ id, data }) {
      notes.ids.push(id);
      notes.data.push(data);
    },
    onError(error) {
      notes.errors.push(error);
      notes.state = "failed";
    },
    onComplete: () => void (notes.state = "complete"),
  });
  onTestFinished(() => subscription.unsubscribe());
  return notes;
}

/** A cable between a client and the server that can be cut. */
export async function openCable(to: string): Promise<{ url: string; cut(): void; cuts: number }> {
  const ends = new Set<Socket>();
  const server = createTcpServer((near) => {
    const far = connect(Number(new URL(to).port), "127.0.0.1");
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(end);
      end.pipe(other);
      end.on("error", () => {});
      end.on("close", () => {
        ends.delete(end);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cable = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: 0,
    /** Without a goodbye. */
    cut() {
      cable.cuts += 1;
      for (const end of ends) end.resetAndDestroy();
    },
  };
  onTestFinished(async () => {
    for (const end of ends) end.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return cable;
}
