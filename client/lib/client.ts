/** The typed client: calls over HTTP, subscriptions over WebSocket or SSE, and the state of the connection. */
import {
  createTRPCClient,
  type Encoder,
  httpBatchLink,
  retryLink,
  splitLink,
  type TRPCClient,
  type TRPCLink,
  wsLink,
} from "@trpc/client";
import { observable } from "@trpc/server/observable";
import type { ApiRouter } from "#shared/api.ts";
import type { KindMap, ServerTypes } from "#shared/kind-types.ts";
import { VERSION, VERSION_PARAM } from "#shared/version.ts";
import { closeWhenRefused } from "./close-when-refused.ts";
import { Closing, endOnClose } from "./closing.ts";
import { type ConnectionStore, createConnectionStore } from "./connection.ts";
import { explainLink } from "./explain-link.ts";
import { failureOf, isFinal, waitAfter } from "./failure.ts";
import { createJobHandle, type JobCalls, type JobHandle } from "./job-handle.ts";
import { createKindClients, type KindClients } from "./kinds-client.ts";
import { createWatchPresence, type WatchPresence } from "./presence.ts";
import { randomText } from "./random-text.ts";
import { serverUrl } from "./server-url.ts";
import { signInLink, type WaitForSignIn } from "./sign-in-link.ts";
import {
  codeOfRefusal,
  eventsWith,
  headersWith,
  reopen,
  repeatOnce,
  usedToken,
} from "./token-links.ts";
import { type InBand, TokenRefresh } from "./token-refresh.ts";
import { type GetToken, Tokens } from "./tokens.ts";
import { transformer } from "./transformer.ts";
import { onFirstUse, openSocket, type WebSocketClient } from "./web-socket.ts";

export { type Failed, failureOf } from "./failure.ts";
export { type JobHandle, JobFailedError } from "./job-handle.ts";
export type { KindClient } from "./kinds-client.ts";
export type { WatchingPresence } from "./presence.ts";
export type { GetToken, TokenReason } from "./tokens.ts";

/** `Own`: tRPC's record of the procedures that the server's program has itself. */
export interface JobwireClient<Kinds extends KindMap = KindMap, Own = unknown> {
  trpc: TRPCClient<ApiRouter<Kinds, Own>>;
  /** The jobs of each kind, with its types. */
  kinds: KindClients<Kinds>;
  /** A job that exists, of whatever kind. */
  job(id: string): JobHandle;
  /** Shows who looks at a job or a batch; without either, who is online in the tenant. */
  presence: WatchPresence;
  /** By which presence counts callers without a user id. */
  readonly device: string;
  connection: ConnectionStore;
  /** Follows `system.onState`, until the returned function is called. */
  follow(): () => void;
  /**
   * Ends all subscriptions and connections. Iterations and results of jobs that are waited for reject. A later subscription opens
   * a connection again.
   */
  close(): void;
}

export interface JobwireClientOptions {
  /** The server's URL with its base path: `http://localhost:8000`. On a page also relative to its origin: `/jobs`. */
  url: string;
  transport?: "ws" | "sse" | undefined;
  /** Writes and reads MessagePack: then subscriptions over the WebSocket use it in place of JSON. Calls stay JSON. */
  encoder?: Encoder | undefined;
  /** Sent with every call and connection, for servers with authentication. A fixed one ends the client's access when it ends. */
  token?: string | undefined;
  /** Returns a token whenever the client needs one. It keeps subscriptions going while tokens come and go. */
  getToken?: GetToken | undefined;
  /** Called when the server refuses a call or a subscription because the caller is not signed in. Absent: they fail. */
  waitForSignIn?: WaitForSignIn | undefined;
  /**
   * By which presence counts callers without a user id: a text that the browser keeps makes its tabs one person. Default: random
   * for each client.
   */
  device?: string | undefined;
}

/**
 * `App`: the type of the server, which tells its kinds. Without it, inputs and outputs are `unknown`. Throws a `TypeError` for a
 * `url` that is none.
 */
export function createJobwireClient<App extends ServerTypes = ServerTypes>(
  options: JobwireClientOptions,
): JobwireClient<App["~kinds"], App["~procedures"]> {
  const { transport = "ws", token, getToken, waitForSignIn, encoder } = options;
  const { device = randomText() } = options;
  const url = serverUrl(options.url);
  const connection = createConnectionStore();
  const closing = new Closing();
  const tokens = getToken && new Tokens(getToken);
  const tokenNow = tokens
    ? () => tokens.get()
    : token === undefined
      ? undefined
      : async () => token;
  const http = `${url}/trpc?${VERSION_PARAM}=${VERSION}`;
  const held = waitForSignIn === undefined ? [] : [signInLink(waitForSignIn)];
  const calls = [
    ...held,
    ...(tokens ? [repeatOnce(tokens)] : []),
    explainLink(url),
    httpBatchLink({ url: http, transformer, ...(tokenNow && { headers: headersWith(tokenNow) }) }),
  ];

  if (transport === "sse") {
    const events = [
      endOnClose(closing),
      tellConnection(connection),
      ...(tokens ? [reopen((op) => tokens.expire(usedToken(op)))] : []),
      again(),
      ...held,
      eventsWith(tokenNow, http),
    ];
    const trpc = createTRPCClient<ApiRouter>({ links: [bySubscription(events, calls)] });
    return clientOf({ trpc, connection, closing, device });
  }

  let used: string | undefined;
  let socket: WebSocketClient | undefined;
  const open = () =>
    (socket ??= openSocket({
      url: `${http.replace(/^http/, "ws")}${encoder ? "&encoding=msgpack" : ""}`,
      ...(encoder && { experimental_encoder: encoder }),
      ...(tokenNow && { connectionParams: async () => ({ token: (used = await tokenNow()) }) }),
      onState(isOpen) {
        connection.signal(isOpen ? "open" : "lost");
        if (isOpen) refresh?.connected();
      },
    }));
  const events = onFirstUse(() => wsLink<ApiRouter>({ client: open(), transformer }));
  const refresh = tokens && new TokenRefresh(tokens, inBand(events));
  const reopened = reopen(() => {
    tokens?.expire(used);
    refresh?.now();
  });
  const close = () => {
    refresh?.close();
    void socket?.close();
  };
  const subscriptions = [
    endOnClose(closing),
    ...(tokens
      ? [closeWhenRefused(close, isIncompatible), reopened]
      : [closeWhenRefused(close, (error) => isIncompatible(error) || isTokenRefused(error))]),
    again(),
    ...held,
    events,
  ];
  const trpc = createTRPCClient<ApiRouter>({ links: [bySubscription(subscriptions, calls)] });
  return clientOf({ trpc, connection, closing, device }, close);
}

interface Parts {
  trpc: TRPCClient<ApiRouter>;
  connection: ConnectionStore;
  closing: Closing;
  device: string;
}

function clientOf(
  { trpc, connection, closing, device }: Parts,
  disconnect: () => void = () => {},
): JobwireClient {
  const watchPresence = createWatchPresence(trpc, device, closing);
  const { cancel, typing, onLog, waiting } = trpc.job;
  const shared: JobCalls = { cancel, typing, onLog, waiting, device, watchPresence };
  return {
    trpc,
    kinds: createKindClients(trpc, shared, closing),
    job: (id) => createJobHandle(id, { procedures: trpc.job, shared, closing }),
    presence: watchPresence,
    device,
    connection,
    follow: () => follow(trpc, connection),
    close() {
      closing.now();
      disconnect();
    },
  };
}

function inBand(events: Link): InBand {
  const { auth } = createTRPCClient<ApiRouter>({ links: [events] });
  return {
    msLeft: async () => (await auth.me.query()).expiresInMs,
    refresh: async (token) => (await auth.refresh.mutate({ token })).expiresInMs,
  };
}

function follow(trpc: TRPCClient<ApiRouter>, connection: ConnectionStore): () => void {
  const state = trpc.system.onState.subscribe(undefined, {
    onData: ({ stale }) => connection.reached(!stale),
  });
  return () => state.unsubscribe();
}

type Link = TRPCLink<ApiRouter>;

function bySubscription(events: Link[], calls: Link[]): Link {
  return splitLink({
    condition: ({ type }) => type === "subscription",
    true: events,
    false: calls,
  });
}

const isIncompatible = (error: unknown) => failureOf(error).code === "INCOMPATIBLE_CLIENT";
const isTokenRefused = (error: unknown) => codeOfRefusal(error) !== undefined;

/** Reopens subscriptions that the server ended with a code that passes; they resume from their cursor. */
function again(): Link {
  return (runtime) =>
    ({ op, next }) => {
      let waitMs = 0;
      return retryLink<ApiRouter>({
        retry({ error, attempts }) {
          waitMs = waitAfter(error, attempts);
          return !isFinal(error);
        },
        retryDelayMs: () => waitMs,
      })(runtime)({ op, next });
    };
}

/** SSE has no shared connection: each subscription has its own state, and the client is stale once one of them is lost. */
function tellConnection(connection: ConnectionStore): Link {
  const open = new Set<symbol>();
  const lost = new Set<symbol>();
  const tellAll = () => {
    if (lost.size > 0) connection.signal("lost");
    else if (open.size > 0) connection.signal("open");
  };
  return () =>
    ({ op, next }) =>
      observable((observer) => {
        const id = Symbol(op.path);
        const forget = () => {
          open.delete(id);
          lost.delete(id);
          tellAll();
        };
        const subscription = next(op).subscribe({
          next(value) {
            const { result } = value;
            if (result.type === "state" && result.state === "pending") {
              lost.delete(id);
              open.add(id);
              tellAll();
            } else if (
              result.type === "state" &&
              result.state === "connecting" &&
              open.delete(id)
            ) {
              // The first `connecting` is not a lost connection.
              lost.add(id);
              tellAll();
            }
            observer.next(value);
          },
          error(error) {
            forget();
            observer.error(error);
          },
          complete() {
            forget();
            observer.complete();
          },
        });
        return () => {
          subscription.unsubscribe();
          forget();
        };
      });
}
