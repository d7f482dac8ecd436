/** For tests: tRPC on a real server, engine and runner, with the stock client over every link. */
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
import { msgpackEncoder } from "#test/transports/msgpack-encoder.ts";
import { portOf, type ServerOptions, serveTransport } from "#test/transports/server.fixture.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import type { DraftFrame, JobEvent } from "#shared/events.ts";
import type { FeedEntry } from "#shared/feed.ts";
import type { LogFrame } from "#shared/log-line.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { createTrpcTransport } from "#server/transports/trpc/transport.ts";

export type Client = ReturnType<typeof createTRPCClient<AppRouter>>;
/** `msgpack`: a WebSocket with messages in MessagePack. */
export type Link = "ws" | "msgpack" | "sse";

export interface TestServer {
  url: string;
  fixture: JobsFixture;
  /** The server's sockets of all connections since it started, including closed ones. */
  readonly sockets: readonly Duplex[];
  /** The lines of the transport's log. */
  logged: { msg: string; level: number }[];
  watches(): number;
  /** Shuts the server down and starts another one on the same port and data. */
  restart(): Promise<void>;
}

export async function openTestServer(
  options: ServerOptions & {
    /** Kinds in addition to "work". */
    kinds?: readonly AnyKind[];
    /** The allowed origins. */
    origins?: string[];
  } = {},
): Promise<TestServer> {
  const fixture = await openJobsFixture(options.kinds);
  const logged: TestServer["logged"] = [];
  const log = pino({ level: "debug" }, { write: (line) => void logged.push(JSON.parse(line)) });

  const serve = (port: number) =>
    serveTransport(createTrpcTransport, {
      ...options,
      jobs: fixture.jobs,
      engine: fixture.engine,
      log,
      port,
    });

  let serving = await serve(0);
  onTestFinished(async () => {
    await serving.close();
    await fixture.close();
  });
  return {
    url: serving.url,
    fixture,
    get sockets() {
      return serving.sockets;
    },
    logged,
    watches: () => serving.watches(),
    async restart() {
      await serving.close();
      await fixture.crash();
      serving = await serve(portOf(serving));
    },
  };
}

/** The stock client, with everything over one WebSocket, or calls over HTTP and subscriptions over SSE. */
export function openClient(url: string, link: Link, token?: string | (() => string)): Client {
  const tokenNow = typeof token === "string" ? () => token : token;
  const params = tokenNow && { connectionParams: () => ({ token: tokenNow() }) };
  const headers = () => (tokenNow === undefined ? {} : { authorization: `Bearer ${tokenNow()}` });
  if (link !== "sse") {
    const socket = createWSClient({
      url: `${url.replace("http", "ws")}/trpc`,
      retryDelayMs: () => 5,
      ...(link === "msgpack" && { experimental_encoder: msgpackEncoder }),
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

/** Everything that a subscription delivered. */
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
export const watchLog = (client: Client, input: Input<Client["job"]["onLog"]>) =>
  takeNotes<LogFrame>((handlers) => client.job.onLog.subscribe(input, handlers));
export const watchBatch = (client: Client, input: Input<Client["batch"]["onUpdate"]>) =>
  takeNotes<BatchAggregate>((handlers) => client.batch.onUpdate.subscribe(input, handlers));
export const watchFeed = (client: Client, input?: Input<Client["feed"]["onUpdate"]>) =>
  takeNotes<FeedEntry>((handlers) => client.feed.onUpdate.subscribe(input, handlers));

export function takeNotes<T>(
  subscribe: (handlers: Handlers<T>) => { unsubscribe(): void },
): Notes<T> {
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
