/**
 * A transport takes requests and connections under paths of its own, and shows the same jobs and streams as its siblings.
 * `docs/add-a-transport.md` shows how to write one.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import type { Jobs } from "#server/jobs/jobs.ts";
import type { Sessions } from "#server/sessions/open.ts";
import type { Streams } from "#server/streams/open.ts";
import type { KindFacts } from "#shared/kind-facts.ts";
import type { Principal } from "#shared/principal.ts";

/**
 * The requests that a path takes (`origins.ts` checks them):
 * - `data`: jobs, streams and commands. Pages of foreign origins and requests for an unknown host are refused.
 * - `page`: static files that hold no data. Pages of every origin may link to them.
 * - `public`: health, metrics and static sites. As `page`, and under any host name where the server is reachable from others.
 */
export type Access = "data" | "page" | "public";

export interface Transport {
  readonly name: string;
  /** Declares the access of a path (`/trpc/job.get`, without the query). `undefined`: another transport serves it. */
  access(path: string): Access | undefined;
  request(req: IncomingMessage, res: ServerResponse): void;
  /**
   * The answer, as JSON, to a request for one of its paths that was refused before it came here. Absent: the message goes
   * out as plain text. Where a request broke before its path was known, the first transport that has this answers.
   */
  refusal?(status: number, message: string): string;
  /**
   * Takes over a connection that asks to be upgraded; its access was checked as `data`, on any path. Absent: such requests
   * are refused.
   */
  upgrade?(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Tells one client after the other to come back, so that other gateways take them over at a steady pace, and closes
   * their connections, within `ms`. It serves clients that connect meanwhile. Absent: it keeps no connections.
   */
  handOver?(ms: number): Promise<void>;
  /** Tells clients to come back, then closes every connection. */
  close(): Promise<void>;
}

/** The parts of the server that every transport uses. */
export interface TransportContext {
  jobs: Jobs;
  streams: Streams;
  sessions: Sessions;
  /** Guarded: rejects with an `AppError` only, within a bounded time (`authentication-guard.ts`). */
  authenticate: Authenticate;
  system: SystemInfo;
  /** Heartbeat of open connections: the time between pings, and how long an answer may take. */
  ping: { intervalMs: number; timeoutMs: number };
  /** The high-water mark of one client's connection, and how long a full one may take nothing. */
  backpressure: { highWaterBytes: number; stallTimeoutMs: number };
  log: Logger;
}

/**
 * Identifies the caller. Rejects with an `AppError` of the code `UNAUTHORIZED` or `FORBIDDEN` for bad credentials; the caller
 * receives its message. Any other error is logged, and the caller receives `UNAVAILABLE`.
 */
export type Authenticate = (credentials: {
  headers: IncomingMessage["headers"];
  /** Sent by a client as it connects, where it cannot set headers. */
  token?: string | undefined;
}) => Promise<Principal>;

/** The answer of `system.info`. */
export interface SystemInfo extends KindFacts {
  version: string;
  engine: string;
  limits: { maxBatchJobs: number; concurrency: number; maxAttempts: number };
}
