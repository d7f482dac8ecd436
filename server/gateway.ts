/** The transports of a process, over its jobs: who may call, from which pages, and what they are served. */
import { fileURLToPath } from "node:url";
import { CheckedCallerSchema } from "#shared/checked-caller.schema.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import { createAuthenticate } from "./auth/authenticate.ts";
import { oidcSettings } from "./auth/oidc-variables.ts";
import { signInMethods } from "./auth/variables.ts";
import { createPauseCommands } from "./auth/pauses.ts";
import type { Config } from "./config.ts";
import type { Core } from "./core.ts";
import { runOwn } from "./jobs/foreign-code.ts";
import type { StaticSite } from "./kinds/define.ts";
import { defaultNodeName } from "./node-name.ts";
import type { OidcProvider } from "./oidc/provider.ts";
import { createReadiness } from "./readiness.ts";
import { openSessions } from "./sessions/open.ts";
import { openSignIns } from "./sign-ins/open.ts";
import { systemInfo } from "./system-info.ts";
import { guardAuthenticate } from "./transports/callers/authentication-guard.ts";
import type { Authenticate, Caller, Transport } from "./transports/contract.ts";
import { CREDENTIAL_LIMITS } from "./transports/callers/credential-end.ts";
import { limitFailedSignIns } from "./transports/callers/failed-sign-ins.ts";
import { type OwnProcedures, PROBES, TRANSPORTS } from "./transports/index.ts";
import type { OnFault } from "./transports/handler.ts";
import { createOriginPolicy, type OriginPolicy } from "./transports/requests/origins.ts";
import { reportRefusals } from "./transports/callers/report-refusals.ts";
import { createSignInCookies } from "./transports/callers/sign-in-cookie.ts";

export interface Gateway {
  readonly transports: readonly Transport[];
  readonly origins: OriginPolicy;
  readonly onFault: OnFault;
  /** Sends the clients to other gateways, where there are any. */
  handOver(): Promise<void>;
  /** Closes all but the transports, which the server closes that they hang on. */
  close(): Promise<void>;
}

/** Where the transports are reached. */
export interface Place {
  /** The address that is listened on. A loopback address: only this machine reaches it. */
  host: string;
  /** True if it speaks TLS itself. */
  isSecure: boolean;
  /** The path below which it is, `/jobs`, or "". */
  basePath: string;
}

/** One object for all connections, each of which keeps its caller. */
const LOCAL_CALLER: Caller = {
  principal: LOCAL_PRINCIPAL,
  expiresAt: undefined,
  via: "anonymous",
};
const HOUR_MS = 60 * 60_000;
const CLIENT_DIR = fileURLToPath(new URL("../dist/client", import.meta.url));

/** Its library is loaded only by a server that has a provider. */
async function createProvider(
  config: Config,
  { basePath }: Place,
  now: () => Date,
): Promise<OidcProvider | undefined> {
  const oidc = oidcSettings(config);
  if (oidc === undefined) return undefined;
  const { createOidcProvider } = await import("./oidc/provider.ts");
  return createOidcProvider({ ...config, ...oidc, basePath }, now);
}

/** The parts that an embedding program adds. */
export interface GatewayParts {
  authenticate: Authenticate | undefined;
  sites: readonly StaticSite[];
  procedures: OwnProcedures | undefined;
}

export async function openGateway(core: Core, place: Place, parts: GatewayParts): Promise<Gateway> {
  const { auth, clock, config, engine, isOpen, limits, log, management, metrics, tell } = core;
  const { now } = clock;
  await using opened = new AsyncDisposableStack();
  const provider =
    parts.authenticate === undefined ? await createProvider(config, place, now) : undefined;
  const sessions = openSessions(engine);
  opened.defer(() => sessions.close());

  const origins = createOriginPolicy({
    origins: [
      ...config.FRONTEND_URL,
      ...config.CORS_ORIGINS,
      ...(provider ? [provider.publicUrl] : []),
    ],
    host: place.host,
    allowedHosts: config.ALLOWED_HOSTS,
    authenticated: !isOpen,
    secure: place.isSecure,
  });
  const signIns = openSignIns(engine, {
    idleMs: config.AUTH_SIGN_IN_IDLE_HOURS * HOUR_MS,
    maxMs: config.AUTH_SIGN_IN_DAYS * 24 * HOUR_MS,
    now,
    tell,
  });
  opened.defer(() => signIns.close());
  const sameSite = config.AUTH_COOKIE_SAMESITE;
  const cookies = createSignInCookies(origins.isExact, sameSite, place.basePath);
  const ours = createAuthenticate(config, tell, {
    keys: auth.keys,
    revocations: auth.revocations,
    check: auth.check,
    verifyStreamToken: auth.verifyStreamToken,
    openTicket: auth.tickets.open,
    now,
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
      clock,
      ...(isOurs && { schema: CheckedCallerSchema }),
    });
    const limited = limits === undefined ? guarded : limitFailedSignIns(guarded, limits, cookies);
    return reportRefusals(limited, cookies, metrics.transports.credentialsRefused);
  };
  const context = {
    jobs: core.jobs,
    streams: core.streams,
    presence: core.presence,
    schedules: core.schedules,
    pauses: createPauseCommands(management.pauses),
    workers: management.workers,
    work: core.work,
    sessions,
    audit: management.audit,
    identify: authenticate === undefined ? async () => LOCAL_CALLER : guard(authenticate),
    clock,
    limits,
    signIns: isOurs ? { signIns, cookies, methods: signInMethods(config), provider } : undefined,
    sharing: isOurs ? { ...auth.shares, issueTicket: auth.tickets.issue } : undefined,
    revoke: isOurs ? management.revocations.revoke : undefined,
    onCredentialEnd: isOurs ? auth.onCredentialEnd : undefined,
    credentialLimits: CREDENTIAL_LIMITS,
    system: systemInfo(core),
    ping: { intervalMs: config.PING_INTERVAL_MS, timeoutMs: config.PING_TIMEOUT_MS },
    backpressure: {
      highWaterBytes: config.SEND_BUFFER_BYTES,
      stallTimeoutMs: config.STALL_TIMEOUT_MS,
    },
    compression: config.COMPRESSION,
    observer: metrics.transports,
    log,
  };
  const settings = {
    http: {
      clientDir: config.ROLE === "worker" ? undefined : CLIENT_DIR,
      basePath: place.basePath,
      compression: config.COMPRESSION,
      sites: parts.sites,
      metrics: config.METRICS_PORT === undefined ? metrics.expose : undefined,
      ready: createReadiness({ engine, isStopping: core.isStopping }),
      log,
    },
    trpc: { procedures: parts.procedures },
    socketio: {
      allowEio3: config.ALLOW_EIO3,
      broadcast: engine.connector && {
        ...engine.connector,
        name: config.NODE_NAME ?? defaultNodeName(),
      },
    },
  };
  const transports = (config.ROLE === "worker" ? PROBES : TRANSPORTS)
    .map((create) => create(context, settings))
    .filter((transport) => transport !== undefined);
  metrics.serve(transports);

  const handOverMs = engine.capabilities.multiProcess ? config.HANDOVER_MS : 0;
  const open = opened.move();
  return {
    transports,
    origins,
    onFault: (error, path) =>
      log.error({ err: error, path }, "A transport failed to handle a request"),
    async handOver() {
      if (handOverMs === 0) return;
      await Promise.all(transports.map(async (transport) => transport.handOver?.(handOverMs)));
    },
    close: () => open.disposeAsync(),
  };
}
