/**
 * Jobwire in a program of one's own. The declarations of this file name nothing of Node: the front end of such a program reads
 * them for its types.
 */
import type { Clock } from "#shared/clock.ts";
import type { KindMap, ServerTypes } from "#shared/kind-types.ts";
import type { Authenticated } from "#shared/principal.ts";
import type { Commands } from "./commands.ts";
import { createPauseCommands } from "./auth/pauses.ts";
import { type Config, loadConfig, VARIABLES } from "./config.ts";
import type { Core } from "./core.ts";
import { createCommands } from "./create-commands.ts";
import type { AnyKind, KindMapOf, StaticSite } from "./kinds/define.ts";
import { createKindRegistry } from "./kinds/registry.ts";
import { createLifecycle } from "./lifecycle.ts";
import { createLog } from "./log.ts";
import { assertNode } from "./node-version.ts";
import { checkSources } from "./sources/open.ts";
import type { Source } from "./sources/source.ts";
import { START } from "./starter.ts";
import { systemInfo } from "./system-info.ts";
import { basePathOf } from "./transports/base-path.ts";
import { createInProcess, type InProcess } from "./transports/trpc/in-process.ts";
import type { OwnProcedures, OwnRouter, RecordOf } from "./transports/trpc/own-procedures.ts";
import { createRouter } from "./transports/trpc/router.ts";

/** Credentials as a client sent them. */
export interface ClientCredentials {
  /** Of the request; their names are in lower case. Empty when a connection sends a newer token. */
  headers: {
    readonly authorization?: string | undefined;
    readonly cookie?: string | undefined;
    readonly origin?: string | undefined;
    readonly [name: string]: string | string[] | undefined;
  };
  /** Clients that cannot set headers send it when they connect. It wins over the header `authorization`. */
  token?: string | undefined;
}

/** As pino's. */
export interface Log {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
  fatal(details: object, message: string): void;
  child(details: object): Log;
}

export interface JobwireOptions<
  Kinds extends readonly AnyKind[] = readonly AnyKind[],
  Procedures extends OwnRouter = OwnRouter,
> {
  /** The kinds of jobs that it runs. */
  kinds: Kinds;
  /**
   * The configuration, by the names of docs/configuration.md: `{ DATA_DIR: "./data" }`. A name that looks like a misspelt one is
   * refused. Default: the environment of the process, whose other names are the program's own.
   */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * Identifies the caller of a connection or call. Rejects with an `AppError` of the code `UNAUTHENTICATED`, `TOKEN_EXPIRED` or
   * `FORBIDDEN` for bad credentials. Absent: Jobwire checks tokens and keys itself, if it is configured to.
   */
  authenticate?: ((credentials: ClientCredentials) => Promise<Authenticated>) | undefined;
  /** The program's own procedures, beside Jobwire's: on the same endpoint, connections and limits. */
  procedures?: OwnProcedures<Procedures> | undefined;
  /**
   * The user that the schedules of its kinds (`defineKind`) and their jobs belong to. Default: the user "system" of the tenant
   * AUTH_DEFAULT_TENANT, or of "local". Without sign-in they belong to the only user.
   */
  scheduleOwner?: { tenant: string; user: string } | undefined;
  /** Jobs that other systems run, shown as its own. A process whose ROLE is "gateway" leaves them to others. */
  sources?: readonly Source[] | undefined;
  /** Folders of static files, which it shows to everyone. */
  sites?: readonly StaticSite[] | undefined;
  /** Default: JSON lines on standard output. */
  log?: Log | undefined;
}

/** A server of `node:http` or `node:https`. */
export interface HttpServerLike {
  readonly listening: boolean;
  close(): unknown;
}

/** The jobs that ran when it was closed. */
export interface Closed {
  finished: number;
  /** They run again after the next start. */
  givenBack: number;
}

export interface Jobwire<Kinds extends KindMap = KindMap, Procedures = unknown>
  extends ServerTypes<Kinds, Procedures>, Commands<Kinds> {
  /** Opens the engine and runs jobs, without serving clients. `listen`, `attach` and every command do so too. */
  start(): Promise<void>;
  /**
   * Serves on an HTTP server of its own, by default at HOST and PORT. Resolves to its address on this machine. Rejects with the
   * errors of `listen`, such as `EADDRINUSE`.
   */
  listen(at?: { host?: string | undefined; port?: number | undefined }): Promise<{ url: string }>;
  /**
   * Serves below a path of another HTTP server, which may listen already or later. Requests and upgrades below `basePath`
   * ("/jobwire" by default) are taken, all others are left alone.
   */
  attach(server: HttpServerLike, options?: { basePath?: string | undefined }): Promise<void>;
  /**
   * Lets running jobs finish for SHUTDOWN_GRACE_MS or releases them, tells clients to reconnect, and closes the engine. A second
   * call gives the same promise. What is being started is closed once it is open, and rejects with `UNAVAILABLE`.
   */
  close(): Promise<Closed>;
}

function knownOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, env[name]]));
}

const DEFAULT_BASE_PATH = "/jobwire";

/** As `createJobwire`, with another clock than the machine's. */
export function createJobwireBy<
  const Kinds extends readonly AnyKind[],
  Procedures extends OwnRouter = never,
>(
  clock: Clock | undefined,
  options: JobwireOptions<Kinds, Procedures>,
): Jobwire<KindMapOf<Kinds>, RecordOf<Procedures>> {
  const {
    authenticate,
    procedures,
    scheduleOwner,
    sites = [],
    sources = [],
    env = knownOf(process.env),
  } = options;
  assertNode();
  const kinds = createKindRegistry(options.kinds);
  const config: Config = loadConfig(env);
  const log = (options.log as ReturnType<typeof createLog>) ?? createLog(config.LOG_LEVEL);
  const lifecycle = createLifecycle(config, {
    kinds,
    log,
    authenticate,
    sites,
    procedures,
    clock,
    scheduleOwner,
    sources: checkSources(sources),
  });
  const names = [...kinds.keys()];
  // Checks the names of its procedures now, as those of its kinds.
  const ping = { intervalMs: config.PING_INTERVAL_MS, timeoutMs: config.PING_TIMEOUT_MS };
  const router = createRouter(ping, names, procedures);
  const inProcess = new WeakMap<Core, InProcess>();

  async function open(): Promise<InProcess> {
    const core = await lifecycle.start();
    const known = inProcess.get(core);
    if (known !== undefined) return known;
    const { clock: by, jobs, streams, presence, schedules, management } = core;
    const opened = createInProcess(router, {
      jobs,
      streams,
      presence,
      schedules,
      pauses: createPauseCommands(management.pauses),
      workers: management.workers,
      audit: management.audit,
      clock: by,
      system: systemInfo(core),
      identify: () => Promise.reject(new Error("Calls in the process have their principal.")),
    });
    inProcess.set(core, opened);
    return opened;
  }

  const jobwire: Omit<Jobwire, "~kinds" | "~procedures"> = {
    ...createCommands(open, names),
    async start() {
      await lifecycle.start();
    },
    listen: async (at) => ({ url: await lifecycle.listen(at) }),
    async attach(server, { basePath = DEFAULT_BASE_PATH } = {}) {
      const path = basePathOf(basePath);
      if (path === undefined) {
        throw new TypeError(
          `\`basePath\` is ${JSON.stringify(basePath)}. Give a path such as "/jobs".`,
        );
      }
      await lifecycle.attach(server, path);
    },
    close: lifecycle.close,
  };
  const started = async () => {
    const url = await lifecycle.listen();
    const { running, close } = lifecycle;
    return { app: { url, running, close }, config, log };
  };
  Object.defineProperty(jobwire, START, { value: started });
  // The types of its kinds have no value, and the commands of each kind take what its schemas check.
  return jobwire as unknown as Jobwire<KindMapOf<Kinds>, RecordOf<Procedures>>;
}

/**
 * Opens nothing by itself. Throws on a Node that is too old, `KindError` for kinds that cannot be registered, and `ConfigError` for
 * variables that cannot be used.
 */
export function createJobwire<
  const Kinds extends readonly AnyKind[],
  Procedures extends OwnRouter = never,
>(options: JobwireOptions<Kinds, Procedures>): Jobwire<KindMapOf<Kinds>, RecordOf<Procedures>> {
  return createJobwireBy(undefined, options);
}
