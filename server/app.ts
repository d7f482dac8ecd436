/** The composition root: opens all parts and wires them. */
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import { v7 as newId } from "uuid";
import pkg from "#package.json" with { type: "json" };
import { MAX_BATCH_JOBS } from "#shared/batch.ts";
import { CheckedCallerSchema } from "#shared/checked-caller.schema.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import { createAuthenticate } from "./auth/authenticate.ts";
import { createManagement } from "./auth/management.ts";
import { oidcSettings } from "./auth/oidc-variables.ts";
import { openAuth } from "./auth/open.ts";
import { needsToken, signInMethods } from "./auth/variables.ts";
import type { Config } from "./config.ts";
import { startControl } from "./control/start.ts";
import { openEngine } from "./engine/index.ts";
import { assertNotExposed } from "./exposure.ts";
import { closeServer, createHttpServer, listen, prepareTls } from "./http-server.ts";
import { runOwn } from "./jobs/foreign-code.ts";
import { createJobs } from "./jobs/jobs.ts";
import { startRetention } from "./jobs/retention.ts";
import { createRunner, type Stopped } from "./jobs/runner.ts";
import type { AnyKind, StaticSite } from "./kinds/define.ts";
import { createKindRegistry } from "./kinds/registry.ts";
import { createLog } from "./log.ts";
import { openMetricsServer } from "./metrics-server.ts";
import { createMetrics } from "./metrics.ts";
import { defaultNodeName } from "./node-name.ts";
import type { OidcProvider } from "./oidc/provider.ts";
import { createReadiness } from "./readiness.ts";
import { openServerLimits } from "./open-limits.ts";
import { openSessions } from "./sessions/open.ts";
import { openSignIns } from "./sign-ins/open.ts";
import { openStreams } from "./streams/open.ts";
import { guardAuthenticate } from "./transports/authentication-guard.ts";
import type { Authenticate, Caller, Transport } from "./transports/contract.ts";
import { CREDENTIAL_LIMITS } from "./transports/credential-end.ts";
import { limitFailedSignIns } from "./transports/failed-sign-ins.ts";
import { PROBES, TRANSPORTS } from "./transports/index.ts";
import { mountTransports } from "./transports/mount.ts";
import { createOriginPolicy } from "./transports/origins.ts";
import { createSignInCookies } from "./transports/sign-in-cookie.ts";
import { createTroubleLog } from "./transports/trouble-log.ts";

export interface App {
  /** The server's address on this machine: `http://localhost:8000`, or `https://localhost:8000` with TLS. */
  url: string;
  /** The number of running jobs. */
  running(): number;
  /** Lets running jobs finish or releases them, tells clients to reconnect, and closes the engine. */
  close(): Promise<Stopped>;
}

/** Parts that an embedding program or a test provides. */
export interface AppParts {
  /** The kinds of job that the server runs: none by default. */
  kinds?: readonly AnyKind[];
  /** Folders of static pages that the server shows to everyone: none by default. */
  sites?: readonly StaticSite[];
  authenticate?: Authenticate;
  log?: Logger;
}

/** One object for all connections, each of which keeps its caller. */
const LOCAL_CALLER: Caller = {
  principal: LOCAL_PRINCIPAL,
  expiresAt: undefined,
  via: "anonymous",
};
const HOUR_MS = 60 * 60_000;
const now = () => new Date();
const CLIENT_DIR = fileURLToPath(new URL("../dist/client", import.meta.url));

/** Its library is loaded only by a server that has a provider. */
async function createProvider(config: Config): Promise<OidcProvider | undefined> {
  const oidc = oidcSettings(config);
  if (oidc === undefined) return undefined;
  const { createOidcProvider } = await import("./oidc/provider.ts");
  return createOidcProvider({ ...config, ...oidc }, now);
}

/** Rejects if the server cannot start, and closes everything that it has opened. */
export async function createApp(config: Config, parts: AppParts = {}): Promise<App> {
  const log = parts.log ?? createLog(config.LOG_LEVEL);
  // Closes everything in reverse order: here if a later step throws, otherwise in `App.close`.
  await using opened = new AsyncDisposableStack();
  let stopping = false;
  let stopped: Stopped = { finished: 0, givenBack: 0 };

  const metrics = createMetrics({
    watches: () => streams.count().watches,
    streams: () => streams.count().streams,
    running: () => running(),
  });
  assertNotExposed(config, parts.authenticate !== undefined);
  const tls = await prepareTls(config, log);
  const engine = await openEngine(config, { onEvent: metrics.onEvent });
  opened.defer(() => engine.close());
  const tell = createTroubleLog(log);
  const auth = openAuth(engine, { settings: config, now, tell });
  opened.defer(() => auth.close());
  const management = createManagement(engine, {
    now,
    tell,
    onRevoked: (revoked) => log.info(revoked, "Credentials were revoked"),
  });
  if (!engine.capabilities.multiProcess) {
    opened.defer(await startControl({ dataDir: config.DATA_DIR, management, log }));
  }
  const isOpen = parts.authenticate === undefined && !needsToken(config);
  const limits = await openServerLimits(config, {
    anonymous: isOpen,
    connector: engine.connector,
    onRefused: metrics.onRateLimited,
    tell,
  });
  if (limits !== undefined) opened.defer(() => limits.close());
  const provider = parts.authenticate === undefined ? await createProvider(config) : undefined;
  const sessions = openSessions(engine);
  opened.defer(() => sessions.close());
  const streams = openStreams(engine);
  opened.defer(() => streams.close());

  if (config.METRICS_PORT !== undefined) {
    const { expose } = metrics;
    const own = await openMetricsServer(config.METRICS_PORT, { config, log, tls, metrics: expose });
    opened.defer(() => own.close());
    log.info({ url: own.url }, "metrics");
  }
  const transports: Transport[] = [];
  const http = createHttpServer(config, log, tls);
  opened.defer(() => closeServer(http, transports));
  const url = await listen(http, config);
  // Do not await between here and `mountTransports`: a request that arrives meanwhile would get no answer.

  const kinds = createKindRegistry(parts.kinds ?? []);

  const runner =
    config.ROLE === "gateway"
      ? undefined
      : createRunner({
          engine,
          kinds,
          worker: newId(),
          concurrency: config.CONCURRENCY,
          maxAttempts: config.MAX_ATTEMPTS,
          leaseMs: config.LEASE_MS,
          now,
          random: Math.random,
          log,
        });
  const running = () => runner?.running() ?? 0;

  const origins = createOriginPolicy({
    origins: [
      ...config.FRONTEND_URL,
      ...config.CORS_ORIGINS,
      ...(provider ? [provider.publicUrl] : []),
    ],
    host: config.HOST,
    allowedHosts: config.ALLOWED_HOSTS,
    authenticated: !isOpen,
    secure: tls !== undefined,
  });
  const signIns = openSignIns(engine, {
    idleMs: config.AUTH_SIGN_IN_IDLE_HOURS * HOUR_MS,
    maxMs: config.AUTH_SIGN_IN_DAYS * 24 * HOUR_MS,
    now,
    tell,
  });
  opened.defer(() => signIns.close());
  const cookies = createSignInCookies(origins.isExact, config.AUTH_COOKIE_SAMESITE);
  const ours = createAuthenticate(config, tell, {
    keys: auth.keys,
    revocations: auth.revocations,
    check: auth.check,
    verifyStreamToken: auth.verifyStreamToken,
    openTicket: auth.tickets.open,
    cookies: {
      secretIn: cookies.secretIn,
      find: (secret) => runOwn(() => signIns.find(secret)),
    },
  });
  const isOurs = parts.authenticate === undefined && ours !== undefined;
  const authenticate = parts.authenticate ?? ours;
  const guard = (hook: Authenticate) => {
    const guarded = guardAuthenticate(hook, {
      log,
      ...(isOurs && { schema: CheckedCallerSchema }),
    });
    return limits === undefined ? guarded : limitFailedSignIns(guarded, limits);
  };
  const context = {
    jobs: createJobs(engine, kinds, now, limits),
    streams,
    sessions,
    audit: management.audit,
    identify: authenticate === undefined ? async () => LOCAL_CALLER : guard(authenticate),
    limits,
    signIns: isOurs ? { signIns, cookies, methods: signInMethods(config), provider } : undefined,
    sharing: isOurs ? { ...auth.shares, issueTicket: auth.tickets.issue } : undefined,
    revoke: isOurs ? management.revocations.revoke : undefined,
    onCredentialEnd: isOurs ? auth.onCredentialEnd : undefined,
    credentialLimits: CREDENTIAL_LIMITS,
    system: {
      version: pkg.version,
      engine: engine.name,
      limits: {
        maxBatchJobs: MAX_BATCH_JOBS,
        concurrency: config.CONCURRENCY,
        maxAttempts: config.MAX_ATTEMPTS,
      },
    },
    ping: { intervalMs: config.PING_INTERVAL_MS, timeoutMs: config.PING_TIMEOUT_MS },
    backpressure: {
      highWaterBytes: config.SEND_BUFFER_BYTES,
      stallTimeoutMs: config.STALL_TIMEOUT_MS,
    },
    log,
  };
  const settings = {
    http: {
      clientDir: config.ROLE === "worker" ? undefined : CLIENT_DIR,
      sites: parts.sites ?? [],
      metrics: config.METRICS_PORT === undefined ? metrics.expose : undefined,
      ready: createReadiness({ engine, isStopping: () => stopping, now }),
      log,
    },
    socketio: {
      allowEio3: config.ALLOW_EIO3,
      broadcast: engine.connector && {
        ...engine.connector,
        name: config.NODE_NAME ?? defaultNodeName(),
      },
    },
  };
  for (const create of config.ROLE === "worker" ? PROBES : TRANSPORTS) {
    const transport = create(context, settings);
    if (transport !== undefined) transports.push(transport);
  }
  mountTransports(http.server, transports, origins, {
    onFault: (error, path) =>
      log.error({ err: error, path }, "A transport failed to handle a request"),
    limits,
  });

  if (engine.capabilities.multiProcess && config.HANDOVER_MS > 0) {
    opened.defer(async () => {
      await Promise.all(transports.map(async ({ handOver }) => handOver?.(config.HANDOVER_MS)));
    });
  }
  // Stop the runner before the transports, so that watchers still see their jobs end.
  opened.defer(async () => {
    if (runner !== undefined) stopped = await runner.stop(config.SHUTDOWN_GRACE_MS);
  });
  opened.defer(startRetention({ engine, days: config.RETENTION_DAYS, now, log }));
  const entries = { engine: engine.audit, what: "entries of audit lists" } as const;
  opened.defer(startRetention({ ...entries, days: config.AUDIT_DAYS, now, log }));
  runner?.start();

  const open = opened.move();
  async function close(): Promise<Stopped> {
    stopping = true;
    http.keepAlive.end();
    await open.disposeAsync();
    return stopped;
  }
  let closing: Promise<Stopped> | undefined;
  return { url, running, close: () => (closing ??= close()) };
}
