/**
 * The configuration: environment variables only. The README's table is made from `VARIABLES`.
 * A bad value stops the start with one line per variable: its name, what is wrong, what is allowed.
 */
import { z } from "zod";
import { cutText } from "#shared/cut-text.ts";
import { allowEntries, hosts, origins } from "./config-lists.ts";

const int = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}`);

const flag = z
  .enum(["true", "false", "1", "0"], "must be true or false")
  .transform((text) => text === "true" || text === "1");

const text = z.string();
/** Pasted keys bring line ends along, which no header can carry. */
const key = z
  .string()
  .trim()
  .regex(/^[!-~]+$/, "must be a key without spaces in it");
const httpUrl = z.url({ protocol: /^https?$/, error: "must be an http:// or https:// address" });

export interface Variable {
  schema: z.ZodType<unknown, string>;
  /** As the README shows it: the text that stands for an unset variable, or what happens then. */
  default?: string;
  unset?: string;
  about: string;
}

export const VARIABLES = {
  PORT: {
    schema: int(0, 65535),
    default: "8000",
    about:
      "Where the server listens; 0 picks a free port, and so does a worker where it is not set.",
  },
  HOST: {
    schema: text.min(1),
    default: "127.0.0.1",
    about:
      "The address it listens on. There is no authentication, so think before you open it to others.",
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
  DATA_DIR: {
    schema: text.min(1),
    default: "./data",
    about: "Where the embedded database is kept.",
  },
  REDIS_URL: {
    schema: z.url({
      protocol: /^rediss?$/,
      error: "must be a redis:// or rediss:// address, such as redis://:password@localhost:6379",
    }),
    unset: "embedded engine",
    about:
      "Keeps everything in this Redis (7 or newer, Valkey, or a node of a cluster) instead, for more than one process; `rediss://` for TLS.",
  },
  REDIS_PREFIX: {
    schema: text.regex(/^[\w.-]+$/, "must be letters, digits, dots, dashes and underscores"),
    default: "jobwire",
    about: "What all keys in Redis begin with, so that several systems can share one.",
  },
  ROLE: {
    schema: z.enum(["all", "gateway", "worker"], "must be all, gateway or worker"),
    default: "all",
    about:
      "What this process does: serve clients (gateway), run jobs (worker), or both. The last two need REDIS_URL.",
  },
  NODE_NAME: {
    schema: text.regex(/^[\w-]{1,40}$/, "must be up to 40 letters, digits, dashes and underscores"),
    unset: "the host's name",
    about:
      "With REDIS_URL, what this gateway's Socket.IO sessions begin with, so that a proxy knows whose they are.",
  },
  CONCURRENCY: { schema: int(1, 1000), default: "10", about: "Jobs that run at the same time." },
  MAX_ATTEMPTS: {
    schema: int(1, 100),
    default: "3",
    about: "Starts a job may have before a crash or a transient error ends it.",
  },
  LEASE_MS: {
    schema: int(1000, 3_600_000),
    default: "30000",
    about: "How long a worker may be silent before its jobs are given to others, in milliseconds.",
  },
  SHUTDOWN_GRACE_MS: {
    schema: int(0, 3_600_000),
    default: "10000",
    about:
      "How long running jobs may go on after SIGTERM before they are given back, in milliseconds.",
  },
  HANDOVER_MS: {
    schema: int(0, 3_600_000),
    default: "5000",
    about:
      "Over how long a gateway among several sends its clients to the others after SIGTERM, in milliseconds; 0 where it is the only one.",
  },
  PING_INTERVAL_MS: {
    schema: int(1000, 3_600_000),
    default: "25000",
    about: "How often open connections are pinged, in milliseconds.",
  },
  PING_TIMEOUT_MS: {
    schema: int(1000, 3_600_000),
    default: "60000",
    about: "How long the answer to a ping may take, in milliseconds.",
  },
  SEND_BUFFER_BYTES: {
    schema: int(65_536, 67_108_864),
    default: "262144",
    about:
      "Bytes that may wait for one client; above that it gets the newest state when it reads again.",
  },
  STALL_TIMEOUT_MS: {
    schema: int(1000, 3_600_000),
    default: "60000",
    about:
      "After how long a client that reads nothing of what waits for it is disconnected, in milliseconds.",
  },
  REQUEST_TIMEOUT_MS: {
    schema: int(1000, 3_600_000),
    default: "120000",
    about:
      "How long a request may take to arrive, in milliseconds; its headers may take 60000 at most.",
  },
  MAX_CONNECTIONS: {
    schema: int(1, 1_000_000),
    default: "10000",
    about: "Connections that may be open at the same time; one more is closed at once.",
  },
  ALLOW_EIO3: {
    schema: flag,
    default: "false",
    about: "Whether Socket.IO clients of version 2 may connect.",
  },
  FETCH_ALLOW: {
    schema: allowEntries,
    unset: "this server's own `/samples/`",
    about:
      "Private hosts that articles may be made from all the same: `host`, `host:port` or `host:port/path/`.",
  },
  ANTHROPIC_API_KEY: { schema: key, unset: "not used", about: "Writes with Anthropic's models." },
  OPENAI_API_KEY: {
    schema: key,
    unset: "not used",
    about: "Writes with OpenAI's models, or opens LLM_BASE_URL.",
  },
  GOOGLE_API_KEY: { schema: key, unset: "not used", about: "Writes with Google's models." },
  LLM_BASE_URL: {
    schema: httpUrl,
    unset: "not used",
    about: "Writes with any server that speaks OpenAI's protocol.",
  },
  LLM_MODEL: { schema: text, unset: "chosen by provider", about: "The model to write with." },
  OFFLINE_PACE_MS: {
    schema: int(0, 10_000),
    default: "25",
    about:
      "The offline writer's pause after each sentence, so that people can follow it; 0 for bulk.",
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
    schema: int(0, 36_500),
    default: "90",
    about: "Days after which settled jobs are deleted; 0 keeps them for ever.",
  },
} as const satisfies Record<string, Variable>;

type VariableName = keyof typeof VARIABLES;
type ValueOf<N extends VariableName> = z.output<(typeof VARIABLES)[N]["schema"]>;
/** A value for each variable; `undefined` for those without a default that are not set. */
export type Config = {
  [N in VariableName]: (typeof VARIABLES)[N] extends { default: string }
    ? ValueOf<N>
    : ValueOf<N> | undefined;
};

export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(`The configuration cannot be used:\n${lines.map((line) => `  ${line}`).join("\n")}`);
    this.lines = lines;
  }
}

/** Throws `ConfigError` with one line per bad variable, and per name that looks like one of ours misspelt. */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const lines: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries<Variable>(VARIABLES)) {
    // An empty variable is an unset one, as in shells and compose files.
    const given = env[name] === "" ? undefined : env[name];
    const value = given ?? variable.default;
    if (value === undefined) continue;
    const parsed = variable.schema.safeParse(value);
    if (parsed.success) config[name] = parsed.data;
    else
      lines.push(
        `${name}=${shown(name, value)} ${parsed.error.issues[0]?.message ?? "is not valid"}`,
      );
  }
  lines.push(...misspelt(env));
  if (lines.length === 0) lines.push(...atOdds(config as Config));
  if (lines.length > 0) throw new ConfigError(lines);
  // It is not for clients, and may run beside a gateway.
  if (config.ROLE === "worker" && !env.PORT) config.PORT = 0;
  return config as Config;
}

/** Variables that are right by themselves, but not together. */
function atOdds({ ROLE, REDIS_URL }: Config): string[] {
  if (ROLE === "all" || REDIS_URL !== undefined) return [];
  return [
    `ROLE="${ROLE}" needs REDIS_URL: the embedded engine lives in one process, which does everything`,
  ];
}

/** Keys stay out of logs, and so do the names and passwords in addresses. */
function shown(name: string, value: string): string {
  if (name.endsWith("_KEY")) return "…";
  const plain = value.replace(/^.*@/s, "…@");
  return JSON.stringify(cutText(plain, 80));
}

/** Names shorter than this are too common for a near one to mean ours. */
const SHORTEST_GUESS = 8;

function misspelt(env: Record<string, string | undefined>): string[] {
  const names = Object.keys(VARIABLES).filter((name) => name.length >= SHORTEST_GUESS);
  return Object.keys(env)
    .filter((name) => !(name in VARIABLES))
    .flatMap((name) => {
      const meant = names.find((known) => isNear(name.toUpperCase(), known));
      return meant === undefined ? [] : [`${name} is not known; did you mean ${meant}?`];
    });
}

/** One letter missing, added or replaced, or two neighbours swapped. */
function isNear(name: string, known: string): boolean {
  if (Math.abs(name.length - known.length) > 1) return false;
  let start = 0;
  while (start < known.length && name[start] === known[start]) start += 1;
  const rest = name.slice(start);
  const wanted = known.slice(start);
  const swapped = rest.slice(0, 2) === wanted.charAt(1) + wanted.charAt(0);
  return (
    rest === wanted ||
    rest.slice(1) === wanted ||
    rest === wanted.slice(1) ||
    rest.slice(1) === wanted.slice(1) ||
    (swapped && rest.slice(2) === wanted.slice(2))
  );
}
