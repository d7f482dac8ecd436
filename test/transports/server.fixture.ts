/** For tests: one transport on a real HTTP server, over a real engine. The server half of every transport's fixture. */
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";
import type { Logger } from "pino";
import type { Engine } from "#server/engine/contract.ts";
import type { Jobs } from "#server/jobs/jobs.ts";
import { createKindRegistry } from "#server/kinds/registry.ts";
import { createPauseCommands, createPauses } from "#server/auth/pauses.ts";
import { createWorkers } from "#server/auth/workers.ts";
import { createSchedules } from "#server/schedules/schedules.ts";
import { openWork } from "#server/work/open.ts";
import { openSessions } from "#server/sessions/open.ts";
import { openPresence } from "#server/presence/open.ts";
import { openStreams } from "#server/streams/open.ts";
import type { Authenticate, Transport, TransportContext } from "#server/transports/contract.ts";
import { guardAuthenticate } from "#server/transports/callers/authentication-guard.ts";
import { CREDENTIAL_LIMITS } from "#server/transports/callers/credential-end.ts";
import { mountTransports } from "#server/transports/mount.ts";
import { createCompression } from "#server/transports/requests/compression.ts";
import { createOriginPolicy } from "#server/transports/requests/origins.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import { auditOf } from "#test/engine/audit.ts";
import type { TestPair } from "#test/tls/certificate.fixture.ts";

/** Options that tests change. All others have production values, but for limits of time. */
export type ServerOptions = Partial<
  Pick<TransportContext, "ping" | "backpressure" | "credentialLimits" | "clock"> & {
    authenticate: Authenticate;
  }
> & {
  /** By default clients that ask for compression have it. */
  compression?: boolean | undefined;
  /** The server speaks TLS with this pair. */
  tls?: TestPair | undefined;
};

/** So long that a test on a slow machine meets no limit that it does not set. */
const UNMET_MS = 3_600_000;

export interface ServedTransport {
  readonly url: string;
  readonly transport: Transport;
  /** The server's sockets of all connections, including closed ones. */
  readonly sockets: readonly Duplex[];
  watches(): number;
  /** True if the local user can watch the job: for a moment after it was deleted, too. */
  serves(jobId: string): Promise<boolean>;
  /** Events of jobs that connections took. */
  delivered(): number;
  connections(): Promise<number>;
  /** The number of requests that have arrived. */
  requests(): number;
  /** Closes the transport as a shutdown does. The engine stays open. */
  close(): Promise<void>;
}

/** Shorter than in production, for deleted jobs, which no hint tells of. */
const POLL_MS = 500;

export async function serveTransport(
  create: (context: TransportContext) => Transport,
  options: ServerOptions & {
    jobs: Jobs;
    /** The engine of the streams and sessions. */
    engine: Engine;
    log: Logger;
    port?: number | undefined;
    /** The allowed origins. */
    origins?: string[];
  },
): Promise<ServedTransport> {
  const { engine, jobs, log } = options;
  const streams = openStreams(engine, { pollMs: POLL_MS });
  const sessions = openSessions(engine);
  const presence = openPresence({ engine, streams, clock: SYSTEM_CLOCK, heartbeatMs: 10_000 });
  const transport = create({
    jobs,
    streams,
    presence,
    schedules: createSchedules({
      engine,
      jobs,
      kinds: createKindRegistry([]),
      record: auditOf(engine).record,
      now: () => new Date(),
      wake: () => {},
    }),
    pauses: createPauseCommands(
      createPauses({ store: engine.pauses, audit: auditOf(engine), now: () => new Date() }),
    ),
    workers: createWorkers({
      store: engine.workers,
      pauses: engine.pauses,
      audit: auditOf(engine),
    }),
    work: openWork({
      engine,
      kinds: createKindRegistry([]),
      clock: SYSTEM_CLOCK,
      now: () => new Date(),
      worker: "here",
      leaseMs: 30_000,
      maxLeaseMs: 30_000,
      maxAttempts: 3,
      random: Math.random,
      log,
    }),
    sessions,
    audit: auditOf(engine),
    identify: guardAuthenticate(options.authenticate ?? (async () => LOCAL_PRINCIPAL), { log }),
    clock: options.clock ?? SYSTEM_CLOCK,
    credentialLimits: options.credentialLimits ?? CREDENTIAL_LIMITS,
    system: {
      version: "1.2.3",
      engine: engine.name,
      limits: { maxBatchJobs: 10_000, concurrency: 5, maxAttempts: 3 },
    },
    ping: options.ping ?? { intervalMs: UNMET_MS, timeoutMs: UNMET_MS },
    backpressure: options.backpressure ?? { highWaterBytes: 256 * 1024, stallTimeoutMs: UNMET_MS },
    compression: options.compression ?? true,
    log,
  });
  const { tls } = options;
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  const sockets: Duplex[] = [];
  let requests = 0;
  server.on(tls === undefined ? "connection" : "secureConnection", (socket) =>
    sockets.push(socket),
  );
  server.on("request", () => (requests += 1));
  const origins = createOriginPolicy({
    origins: options.origins ?? [],
    host: "127.0.0.1",
    allowedHosts: [],
    authenticated: options.authenticate !== undefined,
    secure: tls !== undefined,
  });
  mountTransports(server, [transport], origins, { compression: createCompression() });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));

  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    transport,
    sockets,
    watches: () => streams.count().watches,
    serves: (jobId) =>
      streams.job(LOCAL_PRINCIPAL, jobId).then(
        () => true,
        () => false,
      ),
    delivered: () => streams.usage().job.delivered,
    connections: promisify(server.getConnections.bind(server)),
    requests: () => requests,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await transport.close();
      server.closeAllConnections();
      await closed;
      await presence.close();
      streams.close();
      await sessions.close();
    },
  };
}

/** Returns the port of a server, to start another one on it. */
export const portOf = ({ url }: Pick<ServedTransport, "url">) => Number(new URL(url).port);
