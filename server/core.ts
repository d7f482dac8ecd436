/** The jobs of a process, without any transport: the engine and the parts that stand on it. */
import { hostname } from "node:os";
import type { Logger } from "pino";
import { v7 as newId } from "uuid";
import { createAudit } from "./auth/audit.ts";
import { createManagement, type Management } from "./auth/management.ts";
import { openAuth, type Auth } from "./auth/open.ts";
import { needsToken } from "./auth/variables.ts";
import type { Clock } from "#shared/clock.ts";
import type { Config } from "./config.ts";
import { startControl } from "./control/start.ts";
import type { Engine } from "./engine/contract.ts";
import { createSteadyClock } from "./engine/steady-clock.ts";
import { openEngine } from "./engine/index.ts";
import { createJobs, type Jobs } from "./jobs/jobs.ts";
import { startRetention } from "./jobs/retention.ts";
import { createRunner, type Runner, type Stopped } from "./jobs/runner.ts";
import type { KindRegistry } from "./kinds/registry.ts";
import { remoteKinds } from "./kinds/remote.ts";
import type { Limits } from "./limits/open.ts";
import { createMetrics, type Metrics } from "./metrics/open.ts";
import { defaultNodeName } from "./node-name.ts";
import { openServerLimits } from "./open-limits.ts";
import { openPresence, type PresenceService } from "./presence/open.ts";
import { openSchedules } from "./schedules/open.ts";
import type { Schedules } from "./schedules/schedules.ts";
import { withControl } from "./sources/control.ts";
import { type OpenableSource, openSources } from "./sources/open.ts";
import { openStreams, type Streams } from "./streams/open.ts";
import type { UserRef } from "#shared/known-user.ts";
import { isOfAll } from "#shared/pause.ts";
import { LOCAL_PRINCIPAL, ownerOf } from "#shared/principal.ts";
import { openWork, type WorkService } from "./work/open.ts";
import { VERSION } from "#shared/version.ts";
import { createTroubleLog, type TellTrouble } from "./transports/trouble-log.ts";

export interface Core {
  readonly config: Config;
  readonly engine: Engine;
  readonly auth: Auth;
  readonly management: Management;
  /** True if callers are not asked who they are. */
  readonly isOpen: boolean;
  /** Absent: callers are not limited. */
  readonly limits: Limits | undefined;
  readonly jobs: Jobs;
  readonly streams: Streams;
  readonly presence: PresenceService;
  readonly schedules: Schedules;
  readonly work: WorkService;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tell: TellTrouble;
  /** Claims and runs jobs from now on, unless this process is a gateway. A second call does nothing. */
  run(): void;
  /** The number of running jobs. */
  running(): number;
  isStopping(): boolean;
  /** Claims no more jobs, and lets those that run finish or releases them. Watches go on, so that they see how jobs end. */
  stop(): Promise<Stopped>;
  /** Stops, then closes everything. */
  close(): Promise<void>;
}

/** `ownAuthenticate`: an embedding program knows who the callers are. */
export async function openCore(
  config: Config,
  options: {
    kinds: KindRegistry;
    log: Logger;
    ownAuthenticate: boolean;
    /** Of the schedules that kinds declare. */
    scheduleOwner?: UserRef | undefined;
    sources?: readonly OpenableSource[] | undefined;
    clock: Clock;
  },
): Promise<Core> {
  const { kinds, log, ownAuthenticate, clock } = options;
  const { now, steady, after } = clock;
  // Closes everything in reverse order: here if a later step throws, otherwise in `Core.close`.
  await using opened = new AsyncDisposableStack();

  const metrics = createMetrics(
    {
      version: VERSION,
      role: config.ROLE,
      kinds: [...kinds.keys()],
      concurrency: config.ROLE === "gateway" ? 0 : config.CONCURRENCY,
      now,
    },
    {
      streams: () => streams.usage(),
      running: () => running(),
      isDraining: () => runner?.isDraining() ?? false,
      isPaused: async () => (await engine.pauses.list()).some(isOfAll),
      engine: () => engine,
    },
  );
  let runner: Runner | undefined;
  const engine = await openEngine(config, {
    onEvent: metrics.onEvent,
    onGroup: metrics.onGroup,
    observer: metrics.engine,
    clock: createSteadyClock(() => now().getTime(), steady),
    after,
    weights: config.TENANT_WEIGHTS,
    elsewhere: remoteKinds(kinds),
  });
  opened.defer(() => engine.close());
  const tell = createTroubleLog(log);
  const auth = openAuth(engine, { settings: config, now, tell });
  opened.defer(() => auth.close());
  const management = createManagement(engine, {
    now,
    tell,
    onRevoked: (revoked) => log.info(revoked, "Credentials were revoked"),
    ownWorker: () => runner?.describe(),
  });
  if (!engine.capabilities.multiProcess) {
    opened.defer(
      await startControl({ dataDir: config.DATA_DIR, management, backup: engine.backup, log }),
    );
  }
  const isOpen = !ownAuthenticate && !needsToken(config);
  const limits = await openServerLimits(config, {
    anonymous: isOpen,
    connector: engine.connector,
    onRefused: metrics.onRateLimited,
    tell,
  });
  if (limits !== undefined) opened.defer(() => limits.close());
  const streams = openStreams(engine, { onDelivered: metrics.onDelivered });
  opened.defer(() => streams.close());
  const heartbeatMs = config.PRESENCE_HEARTBEAT_MS;
  const presence = openPresence({ engine, streams, clock, heartbeatMs });
  opened.defer(() => presence.close());

  const { sources = [] } = options;
  const { record } = createAudit({ store: engine.audit, now, tell });
  const own = createJobs(engine, kinds, now, limits);
  const jobs = { ...own, decide: withControl(own.decide, { engine, sources, record, clock }) };
  const { tenant = config.AUTH_DEFAULT_TENANT ?? LOCAL_PRINCIPAL.tenantId, user = "system" } =
    options.scheduleOwner ?? {};
  const schedules = openSchedules({
    engine,
    jobs,
    kinds,
    record,
    // Its only principal sees them.
    owner: isOpen ? ownerOf(LOCAL_PRINCIPAL) : { tenant, owner: user },
    // As a server without sign-in it stored them for that one.
    earlier: ownerOf(LOCAL_PRINCIPAL),
    clock,
    observer: metrics.schedules,
    log,
  });

  runner =
    config.ROLE === "gateway"
      ? undefined
      : createRunner({
          engine,
          kinds,
          worker: newId(),
          identity: {
            name: config.NODE_NAME ?? defaultNodeName(),
            host: hostname(),
            pid: process.pid,
            version: VERSION,
          },
          concurrency: config.CONCURRENCY,
          maxAttempts: config.MAX_ATTEMPTS,
          leaseMs: config.LEASE_MS,
          now,
          clock: steady,
          timer: clock,
          random: Math.random,
          observer: metrics.runner,
          log,
        });
  const work = openWork({
    engine,
    kinds,
    clock,
    now,
    worker: newId(),
    leaseMs: Math.min(config.LEASE_MS, config.WORK_MAX_LEASE_MS),
    maxLeaseMs: config.WORK_MAX_LEASE_MS,
    maxAttempts: config.MAX_ATTEMPTS,
    random: Math.random,
    observer: metrics.runner,
    log,
  });
  const running = () => runner?.running() ?? 0;
  const entries = { engine: engine.audit, what: "entries of audit lists" } as const;
  const shared = { now, log, timer: clock };
  const retentions = [
    startRetention({ ...shared, ...entries, days: config.AUDIT_DAYS }),
    startRetention({ ...shared, engine, kinds, days: config.RETENTION_DAYS }),
  ];
  let endSources: (() => Promise<void>) | undefined;
  async function stopWork(): Promise<Stopped> {
    for (const end of retentions) end();
    await endSources?.();
    await Promise.all([schedules.stop(), work.stop()]);
    return (await runner?.stop(config.SHUTDOWN_GRACE_MS)) ?? { finished: 0, givenBack: 0 };
  }
  let stopping: Promise<Stopped> | undefined;
  const stop = () => (stopping ??= stopWork());
  opened.defer(async () => void (await stop()));

  let isRunning = false;
  const open = opened.move();
  return {
    config,
    engine,
    auth,
    management,
    isOpen,
    limits,
    jobs,
    streams,
    presence,
    schedules: schedules.commands,
    work,
    metrics,
    clock,
    log,
    tell,
    run() {
      const [...elsewhere] = remoteKinds(kinds);
      if (!isRunning && elsewhere.length > 0) {
        log.info({ kinds: elsewhere }, "Workers of other programs run the jobs of these kinds");
      }
      if (!isRunning && runner !== undefined) {
        runner.start();
        schedules.start();
        endSources = openSources(sources, { engine, holder: newId(), clock, log });
      }
      isRunning = true;
    },
    running,
    isStopping: () => stopping !== undefined,
    stop,
    close: () => open.disposeAsync(),
  };
}
