/**
 * The configuration, from environment variables only. `npm run config` generates the tables in docs/configuration.md from
 * these variables; engines and applications declare their own. A bad value stops the start with one line per variable: its
 * name, the fault, the allowed values.
 */
import { z } from "zod";
import { ConfigError, type Env, readVariables } from "#shared/load-variables.ts";
import {
  flag,
  text,
  textLike,
  type SettingsOf,
  type Variables,
  wholeNumber,
} from "#shared/variables.ts";
import { MAX_WORK_LEASE_MS } from "#shared/work.ts";
import { AUTH_VARIABLES, authConflicts } from "./auth/variables.ts";
import { hosts, origins } from "./config-lists.ts";
import { ENGINE_VARIABLES, ENGINES, selectEngine } from "./engine/index.ts";
import { LIMIT_VARIABLES } from "./limits/variables.ts";
import { tenantWeights } from "./tenant-weights.ts";
import { TLS_VARIABLES, tlsConflicts } from "./tls/variables.ts";
import { basePathOf } from "./transports/base-path.ts";

const basePath = z
  .string()
  .refine((text) => basePathOf(text) !== undefined, "must be a path such as /jobs")
  .transform((text) => basePathOf(text) ?? "");

export const VARIABLES = {
  PORT: {
    schema: wholeNumber(0, 65535),
    default: "8000",
    about:
      "Where the server listens; 0 picks a free port, and so does a worker where it is not set.",
  },
  HOST: {
    schema: text,
    default: "127.0.0.1",
    about:
      "The address it listens on. For an address that other machines reach, callers must sign in, or ALLOW_ANONYMOUS must be set.",
  },
  METRICS_PORT: {
    schema: wholeNumber(0, 65535),
    unset: "`/metrics` is on PORT, for callers with the scope `operator`",
    about: "A port for `/metrics` alone, without sign-in; 0 picks a free one.",
  },
  FRONTEND_URL: {
    schema: origins,
    default: "http://localhost:3000",
    about:
      "The origin of a page that may use this server from a browser, or under which a proxy on this machine serves it.",
  },
  CORS_ORIGINS: {
    schema: origins,
    default: "",
    about:
      "More such origins, commas between; `*` stands for one or more labels: `https://*.example.com`. Apps and extensions have their own: `capacitor://localhost`, `tauri://localhost` (on Windows `http://tauri.localhost`), `app://.`. Files send `file://` in some apps (Electron, Cordova) and `null` elsewhere, as sandboxed frames do. Cookies are let through from origins without `*`, and not from `null` or `file://`.",
  },
  ALLOWED_HOSTS: {
    schema: hosts,
    default: "",
    about:
      "More names of this server, as clients and proxies send them in `Host`, commas between: `jobs.example.com`, `*.example.com`, with a port or without. IP addresses (unless HOST is a loopback address), localhost and the hosts of the origins above need no entry.",
  },
  BASE_PATH: {
    schema: basePath,
    default: "",
    about:
      "The path below which a proxy serves this server: `/jobs`. Requests may come with it, or without it if the proxy removes it.",
  },
  ...TLS_VARIABLES,
  ...AUTH_VARIABLES,
  ...LIMIT_VARIABLES,
  ...ENGINE_VARIABLES,
  ROLE: {
    schema: z.enum(["all", "gateway", "worker"], "must be all, gateway or worker"),
    default: "all",
    about:
      "What this process does: serve clients (gateway), run jobs (worker), or both. The last two need REDIS_URL.",
  },
  NODE_NAME: {
    schema: textLike(/^[\w-]{1,40}$/, "must be up to 40 letters, digits, dashes and underscores"),
    unset: "the host's name",
    about:
      "With REDIS_URL, what this gateway's Socket.IO sessions begin with, so that a proxy knows whose they are.",
  },
  CONCURRENCY: {
    schema: wholeNumber(1, 1000),
    default: "10",
    about: "Jobs that run at the same time.",
  },
  TENANT_WEIGHTS: {
    schema: tenantWeights,
    default: "",
    about:
      "Tenants whose jobs come more often than those of others while both wait, with their weights (1 to 100), commas between: `acme=3,globex=2`. Every other tenant has 1.",
  },
  MAX_ATTEMPTS: {
    schema: wholeNumber(1, 100),
    default: "3",
    about: "Starts a job may have before a crash or a transient error ends it.",
  },
  LEASE_MS: {
    schema: wholeNumber(1000, 3_600_000),
    default: "30000",
    about: "How long a worker may be silent before its jobs are given to others, in milliseconds.",
  },
  WORK_MAX_LEASE_MS: {
    schema: wholeNumber(1000, MAX_WORK_LEASE_MS),
    default: "600000",
    about:
      "The longest lease that a worker of another program may ask for, in milliseconds. Its default is LEASE_MS.",
  },
  SHUTDOWN_GRACE_MS: {
    schema: wholeNumber(0, 3_600_000),
    default: "10000",
    about:
      "How long running jobs may go on after SIGTERM before they are given back, in milliseconds.",
  },
  HANDOVER_MS: {
    schema: wholeNumber(0, 3_600_000),
    default: "5000",
    about:
      "Over how long a gateway among several sends its clients to the others after SIGTERM, in milliseconds; 0 where it is the only one.",
  },
  PING_INTERVAL_MS: {
    schema: wholeNumber(1000, 3_600_000),
    default: "25000",
    about: "How often open connections are pinged, in milliseconds.",
  },
  PING_TIMEOUT_MS: {
    schema: wholeNumber(1000, 3_600_000),
    default: "60000",
    about: "How long the answer to a ping may take, in milliseconds.",
  },
  PRESENCE_HEARTBEAT_MS: {
    schema: wholeNumber(1000, 3_600_000),
    default: "10000",
    about:
      "People of a gateway that was killed are gone from presence within two times this, in milliseconds.",
  },
  SEND_BUFFER_BYTES: {
    schema: wholeNumber(65_536, 67_108_864),
    default: "262144",
    about:
      "Bytes that may wait for one client; above that it gets the newest state when it reads again.",
  },
  STALL_TIMEOUT_MS: {
    schema: wholeNumber(1000, 3_600_000),
    default: "60000",
    about:
      "After how long a client that reads nothing of what waits for it is disconnected, in milliseconds.",
  },
  COMPRESSION: {
    schema: flag,
    default: "true",
    about:
      "Whether events, answers and the page are compressed for clients that ask for it, as browsers do.",
  },
  REQUEST_TIMEOUT_MS: {
    schema: wholeNumber(1000, 3_600_000),
    default: "120000",
    about:
      "How long a request may take to arrive, in milliseconds; its headers may take 60000 at most.",
  },
  MAX_CONNECTIONS: {
    schema: wholeNumber(1, 1_000_000),
    default: "10000",
    about: "Connections that may be open at the same time; one more is closed at once.",
  },
  ALLOW_EIO3: {
    schema: flag,
    default: "false",
    about: "Whether Socket.IO clients of version 2 may connect.",
  },
  LOG_LEVEL: {
    schema: z.enum(
      ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
      "must be trace, debug, info, warn, error, fatal or silent",
    ),
    default: "info",
    about: "What is logged, as JSON lines on standard output.",
  },
  RETENTION_DAYS: {
    schema: wholeNumber(0, 36_500),
    default: "90",
    about: "Days after which settled jobs are deleted; 0 keeps them for ever.",
  },
  AUDIT_DAYS: {
    schema: wholeNumber(0, 36_500),
    default: "90",
    about:
      "Days after which entries of the audit list are deleted; 0 keeps them. In any case a tenant keeps its newest 100,000.",
  },
} as const satisfies Variables;

export type Config = SettingsOf<typeof VARIABLES>;
export { ConfigError };

/**
 * The settings of Jobwire, and of `own`: variables that an application adds. Throws `ConfigError` with one line per bad
 * variable, and per name that looks like a misspelt one of either.
 */
export function loadConfig(env: Env): Config;
export function loadConfig<Own extends Variables>(env: Env, own: Own): Config & SettingsOf<Own>;
export function loadConfig(env: Env, own: Variables = {}): Config {
  const taken = Object.keys(own).find((name) => Object.hasOwn(VARIABLES, name));
  if (taken !== undefined) {
    throw new TypeError(`An application has a variable ${taken}, which is one of Jobwire's.`);
  }
  const { settings, lines } = readVariables(env, { ...VARIABLES, ...own });
  if (lines.length === 0) lines.push(...atOdds(settings));
  if (lines.length > 0) throw new ConfigError(lines);
  // A worker has no clients and may run beside a gateway, so it takes any free port.
  if (settings.ROLE === "worker" && !env.PORT) settings.PORT = 0;
  return settings;
}

/** Returns messages for variables that are valid separately, but not together. */
function atOdds(config: Config): string[] {
  const lines = [...tlsConflicts(config), ...authConflicts(config), ...crossSiteConflicts(config)];
  const { ROLE: role } = config;
  if (role === "all" || selectEngine(config).capabilities.multiProcess) return lines;
  const shared = ENGINES.filter(({ capabilities }) => capabilities.multiProcess);
  return [
    ...lines,
    `ROLE="${role}" needs ${shared.map(({ selectedBy }) => selectedBy).join(" or ")}: with the embedded engine, one process does everything`,
  ];
}

/** The default of FRONTEND_URL is no decision of the operator. */
function crossSiteConflicts(config: Config): string[] {
  if (config.AUTH_COOKIE_SAMESITE !== "none") return [];
  const frontend = config.FRONTEND_URL.filter(
    (origin) => origin !== VARIABLES.FRONTEND_URL.default,
  );
  const listed = [...config.CORS_ORIGINS, ...frontend];
  if (listed.some((origin) => /^https?:\/\/[^*]+$/.test(origin))) return [];
  return [
    "AUTH_COOKIE_SAMESITE=none needs the origin of each page that may use the cookie, whole and without `*`, in CORS_ORIGINS or FRONTEND_URL",
  ];
}
