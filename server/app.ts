/** Puts the parts together: all wiring, nothing else. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import { v7 as newId } from "uuid";
import pkg from "#package.json" with { type: "json" };
import { MAX_BATCH_JOBS } from "#shared/batch.ts";
import { AppError } from "#shared/errors.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import type { Config } from "./config.ts";
import { openEngine, openRedisConnector } from "./engine/index.ts";
import { createJobs } from "./jobs/jobs.ts";
import { startRetention } from "./jobs/retention.ts";
import { createRunner, type Runner, type Stopped } from "./jobs/runner.ts";
import { usableWriters } from "./kinds/article/write/writer-settings.ts";
import type { AnyKind } from "./kinds/define.ts";
import { createKinds } from "./kinds/index.ts";
import { createLog } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { openSessions } from "./sessions/open.ts";
import { openStreams } from "./streams/open.ts";
import type { Authenticate, Transport } from "./transports/contract.ts";
import type { HttpOptions, Readiness } from "./transports/http/transport.ts";
import { HEAD_OPTIONS } from "./transports/head-limit.ts";
import { limitConnections } from "./transports/connection-limit.ts";
import { createKeepAlive } from "./transports/keep-alive.ts";
import { createProbes, createTransports } from "./transports/index.ts";
import { mountTransports } from "./transports/mount.ts";
import { createOriginPolicy } from "./transports/origins.ts";
import { requestTimeouts } from "./transports/request-timeouts.ts";
import { openCluster } from "./transports/socketio/cluster.ts";
import { closeStalledResponses } from "./transports/stalled-responses.ts";

export interface App {
  /** Where it can be reached from this machine: `http://localhost:8000`. */
  url: string;
  /** Jobs that run now. */
  running(): number;
  /** Lets running jobs finish or gives them back, tells clients to come back, and lets go of the data. */
  close(): Promise<Stopped>;
}

/** What an embedding program or a test may bring along. */
export interface AppParts {
  /** Kinds beside those of the registry. */
  kinds?: readonly AnyKind[];
  authenticate?: Authenticate;
  log?: Logger;
}

/** How long calls that are under way at a shutdown may still take. */
const LAST_ANSWERS_MS = 2000;

/** Longer than proxies keep connections that nobody uses (60 s, mostly): who closes one last can meet a request on it. */
const KEEP_ALIVE_MS = 65_000;

const NOBODY_WORKS =
  "No worker is there: jobs are accepted, and wait until one is. Start one with `npm run worker`.";

const now = () => new Date();
const CLIENT_DIR = fileURLToPath(new URL("../dist/client", import.meta.url));

export async function createApp(config: Config, parts: AppParts = {}): Promise<App> {
  const log = parts.log ?? createLog(config.LOG_LEVEL);

  const ready = { stopping: false };

  const metrics = createMetrics({
    watches: () => streams.count().watches,
    streams: () => streams.count().streams,
    running: () => runner?.running() ?? 0,
  });
  const engine = await openEngine(
    {
      dataDir: config.DATA_DIR,
      redisUrl: config.REDIS_URL,
      redisPrefix: config.REDIS_PREFIX,
    },
    metrics.onEvent,
  );
  const connect =
    config.REDIS_URL === undefined ? undefined : await openRedisConnector(config.REDIS_URL);
  const server = createServer({
    // Whatever else a client offers to speak (curl: HTTP/2), it may get in plain HTTP.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    keepAliveTimeout: KEEP_ALIVE_MS,
    ...requestTimeouts(config.REQUEST_TIMEOUT_MS),
    ...HEAD_OPTIONS,
    // `mountTransports` does it: Node's own answer to a request without one does not count as pipelined.
    requireHostHeader: false,
  });
  const keepAlive = createKeepAlive(server);
  limitConnections(server, config.MAX_CONNECTIONS, log);
  let url: string;
  try {
    url = await listen(server, config.HOST, config.PORT);
  } catch (error) {
    await engine.close();
    throw error;
  }

  const models = {
    anthropicApiKey: config.ANTHROPIC_API_KEY,
    openaiApiKey: config.OPENAI_API_KEY,
    googleApiKey: config.GOOGLE_API_KEY,
    llmBaseUrl: config.LLM_BASE_URL,
    llmModel: config.LLM_MODEL,
  };
  const kinds = createKinds({
    fetchAllow: config.FETCH_ALLOW ?? samplesOf(url),
    models,
    offlinePaceMs: config.OFFLINE_PACE_MS,
  });
  const allKinds = new Map(kinds);
  for (const kind of parts.kinds ?? []) allKinds.set(kind.name, kind);

  const streams = openStreams(engine);
  const sessions = openSessions(engine);
  const jobs = createJobs(engine, allKinds, now);
  const runner: Runner | undefined =
    config.ROLE === "gateway"
      ? undefined
      : createRunner({
          engine,
          kinds: allKinds,
          worker: newId(),
          concurrency: config.CONCURRENCY,
          maxAttempts: config.MAX_ATTEMPTS,
          leaseMs: config.LEASE_MS,
          now,
          random: Math.random,
          log,
        });

  async function readiness(): Promise<Readiness> {
    if (ready.stopping) throw new AppError("UNAVAILABLE", "The server is stopping.");
    await engine.health();
    if (!engine.capabilities.multiProcess) return {};
    const workers = (await engine.present(now())).length;
    return workers > 0 ? { workers } : { workers, note: NOBODY_WORKS };
  }
  const http: HttpOptions = {
    clientDir: config.ROLE === "worker" ? undefined : CLIENT_DIR,
    metrics: metrics.expose,
    ready: readiness,
    log,
  };

  function openTransports(): Transport[] {
    if (config.ROLE === "worker") return createProbes(http);
    const context = {
      jobs,
      streams,
      sessions,
      authenticate: parts.authenticate ?? (async () => LOCAL_PRINCIPAL),
      system: {
        version: pkg.version,
        engine: engine.name,
        limits: {
          maxBatchJobs: MAX_BATCH_JOBS,
          concurrency: config.CONCURRENCY,
          maxAttempts: config.MAX_ATTEMPTS,
        },
        writers: usableWriters(models),
      },
      ping: { intervalMs: config.PING_INTERVAL_MS, timeoutMs: config.PING_TIMEOUT_MS },
      backpressure: {
        highWaterBytes: config.SEND_BUFFER_BYTES,
        stallTimeoutMs: config.STALL_TIMEOUT_MS,
      },
      log,
    };
    const { REDIS_PREFIX: prefix, NODE_NAME: name = hostName() } = config;
    const cluster = connect && openCluster({ connect, prefix, name });
    return createTransports(context, {
      socketio: { allowEio3: config.ALLOW_EIO3, cluster },
      http,
    });
  }

  const transports = openTransports();
  const origins = createOriginPolicy({
    origins: [...config.FRONTEND_URL, ...config.CORS_ORIGINS],
    host: config.HOST,
    allowedHosts: config.ALLOWED_HOSTS,
    authenticated: parts.authenticate !== undefined,
  });
  closeStalledResponses(server, config.STALL_TIMEOUT_MS, ({ remoteAddress }) =>
    log.debug({ remoteAddress }, "A client did not read its answer, and was disconnected"),
  );
  mountTransports(server, transports, origins, (error, path) =>
    log.error({ err: error, path }, "A transport could not take a request"),
  );
  const stopRetention = startRetention({ engine, days: config.RETENTION_DAYS, now, log });
  runner?.start();

  let closing: Promise<Stopped> | undefined;
  async function close(): Promise<Stopped> {
    ready.stopping = true;
    keepAlive.end();
    stopRetention();
    // Watchers see how their jobs end before they are sent away.
    const stopped = await runner?.stop(config.SHUTDOWN_GRACE_MS);
    if (engine.capabilities.multiProcess && config.HANDOVER_MS > 0) {
      await Promise.all(transports.map(async ({ handOver }) => handOver?.(config.HANDOVER_MS)));
    }
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await Promise.all(transports.map((transport) => transport.close()));
    // Calls that are under way get their answers.
    const cutOff = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS);
    await closed;
    clearTimeout(cutOff);
    streams.close();
    await sessions.close();
    await engine.close();
    return stopped ?? { finished: 0, givenBack: 0 };
  }

  return { url, running: () => runner?.running() ?? 0, close: () => (closing ??= close()) };
}

/** Without what has a meaning in addresses. */
function hostName(): string {
  return hostname()
    .replaceAll(/[^\w-]/g, "-")
    .slice(0, 40);
}

function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve(`http://${nameOf(host)}:${(server.address() as AddressInfo).port}`);
    });
  });
}

/** What to call an address from this machine. */
function nameOf(host: string): string {
  if (["127.0.0.1", "::1", "0.0.0.0", "::"].includes(host)) return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** The sample pages of this very server, by every name it has on its own machine. */
function samplesOf(url: string): string[] {
  const { hostname, port } = new URL(url);
  return [...new Set(["localhost", "127.0.0.1", hostname])].map(
    (host) => `${host}:${port}/samples/`,
  );
}
