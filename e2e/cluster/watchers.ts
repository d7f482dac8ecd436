/** Stock clients that watch a job, reconnect by themselves, and record every event. */
import {
  createTRPCClient,
  createWSClient,
  httpSubscriptionLink,
  type TRPCLink,
  wsLink,
} from "@trpc/client";
import { EventSource } from "eventsource";
import { io } from "socket.io-client";
import superjson from "superjson";
import { checkLegacy } from "#e2e/delivery/witness.ts";
import { checkRecord } from "#test/streams/check-record.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import type { JobEvent } from "#shared/events.ts";

export interface Watcher {
  readonly jobId: string;
  /** True once it received an event. */
  begun(): boolean;
  /** Resolves at the end of the job; rejects on an error. */
  readonly done: Promise<void>;
  faults(log: readonly JobEvent[]): string[];
  leave(): void;
}

const RETRY_MS = 50;

function watchTyped(link: TRPCLink<AppRouter>, jobId: string, close: () => void): Watcher {
  const client = createTRPCClient<AppRouter>({ links: [link] });
  const seen: JobEvent[] = [];
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const subscription = client.job.onUpdate.subscribe(
    { jobId, lastEventId: "0" },
    { onData: ({ data }) => seen.push(data), onComplete: resolve, onError: reject },
  );
  return {
    jobId,
    begun: () => seen.length > 0,
    done,
    // The client resumes by itself, so its record counts as one connection.
    faults: (log) => checkRecord(log, [{ after: 0, seen }]),
    leave() {
      subscription.unsubscribe();
      close();
    },
  };
}

function overTrpc(url: string, jobId: string): Watcher {
  const client = createWSClient({
    url: `${url.replace("http", "ws")}/trpc`,
    retryDelayMs: () => RETRY_MS,
  });
  const link = wsLink({ client, transformer: superjson });
  return watchTyped(link, jobId, () => void client.close());
}

function overSse(url: string, jobId: string): Watcher {
  const link = httpSubscriptionLink({
    url: `${url}/trpc`,
    transformer: superjson,
    EventSource,
  });
  return watchTyped(link, jobId, () => undefined);
}

function overSocketio(transport: "websocket" | "polling") {
  return (url: string, jobId: string): Watcher => {
    const socket = io(url, {
      transports: [transport],
      reconnectionDelay: RETRY_MS,
      reconnectionDelayMax: 10 * RETRY_MS,
      forceNew: true,
    });
    const connections: string[][] = [];
    const { promise: done, resolve, reject } = Promise.withResolvers<void>();
    socket.on("connect", () => {
      connections.push([]);
      socket.emit("subscribe:job", { job_id: jobId });
    });
    socket.onAny((name: string, payload: { status?: string }) => {
      if (!name.startsWith("job:")) return;
      connections.at(-1)?.push(JSON.stringify([name, payload]));
      if (name !== "job:update") return;
      if (payload.status === "DELIVERED") resolve();
      if (payload.status === "ABORTED") reject(new Error(JSON.stringify(payload)));
    });
    return {
      jobId,
      begun: () => connections.some((seen) => seen.length > 0),
      done,
      faults: (log) => connections.flatMap((seen, index) => checkLegacy(log, seen, index)),
      leave: () => void socket.close(),
    };
  };
}

/** One function per transport that opens a watcher. */
export const OPEN_WATCHER = [overTrpc, overSse, overSocketio("websocket"), overSocketio("polling")];
