/**
 * The directions of imports, as allow-lists: a file may import what the last entry that matches it lists, and nothing
 * else. Lint enforces them (`oxlint.config.ts`), the table in docs/architecture.md shows them.
 */
export interface Direction {
  /** As docs/architecture.md names it. */
  name: string;
  files: string[];
  /** Modules, as they are imported: `./*` are the siblings of a file, `./**` is everything below its folder too. */
  imports: string[];
  packages: string[] | "any";
  /** Modules that `imports` covers, and that are refused all the same. */
  except?: string[];
  typeOnly?: string;
}

const NODE = ["node:*", "node:*/*"];
/** The embedded engine alone stores with `node:sqlite`; `node:module` has ways to import past these rules. */
const NODE_EXCEPT = ["node:sqlite", "node:module"];
const TRPC = "@trpc/server";
const SYSTEM_CLOCK = "#server/time/system-clock.ts";
const CALL_SPAN = "#server/tracing/call-span.ts";
/** The modules of the layers below that a transport may use. */
const BELOW_TRANSPORTS = [
  "#server/auth/audit.ts",
  "#server/auth/pauses.ts",
  "#server/auth/permissions.ts",
  "#server/auth/shares.ts",
  "#server/auth/tickets.ts",
  "#server/auth/workers.ts",
  "#server/jobs/inputs.ts",
  "#server/jobs/jobs.ts",
  "#server/jobs/foreign-code.ts",
  "#server/limits/open.ts",
  "#server/presence/open.ts",
  "#server/schedules/inputs.ts",
  "#server/schedules/schedules.ts",
  "#server/streams/open.ts",
  "#server/sessions/open.ts",
  "#server/sign-ins/open.ts",
  "#server/oidc/*",
  "#server/work/inputs.ts",
  "#server/work/open.ts",
  SYSTEM_CLOCK,
  CALL_SPAN,
  "#shared/**",
];
/** The folders of what all transports use, each about one subject. */
const USED_BY_TRANSPORTS = ["callers", "limits", "requests", "sockets"].map(
  (folder) => `#server/transports/${folder}/*`,
);
const PRODUCT = ["#shared/**", "#server/**", "#client/**"];
/** Its types, its schemas and the rest of what the page knows of it, too. */
const ARTICLE = "#shared/article/**";
/** The names of the directions that may import `ARTICLE`. */
const KNOW_ARTICLE: ReadonlySet<string> = new Set([
  "server/kinds/article/",
  "client/app/article/",
  "tests of these, test/",
  "e2e/",
  "bench/",
  "scripts/",
]);

const all: Direction[] = [
  {
    name: "shared/",
    files: ["shared/**"],
    imports: ["./**"],
    except: ["./**/*.schema.ts", "./*variables.ts", "./article/**"],
    packages: [],
  },
  {
    name: "shared/article/",
    files: ["shared/article/**"],
    imports: ["./*"],
    except: ["./*.schema.ts"],
    packages: [],
  },
  {
    name: "shared/csv/",
    files: ["shared/csv/**"],
    imports: ["./*", "#shared/**"],
    except: ["#shared/**/*.schema.ts", "#shared/*variables.ts", "#shared/article/**"],
    packages: ["papaparse"],
  },
  {
    name: "shared/api.ts",
    files: ["shared/api.ts"],
    imports: ["./**", TRPC],
    except: ["./**/*.schema.ts", "./*variables.ts", "./article/**"],
    typeOnly: TRPC,
    packages: [],
  },
  {
    name: "shared/**/*.schema.ts, *variables.ts",
    files: ["shared/**/*.schema.ts", "shared/*variables.ts"],
    imports: ["./**", "#shared/schema-for.ts"],
    except: ["./article/**"],
    packages: ["zod"],
  },
  {
    name: "server/*.ts",
    files: ["server/*.ts"],
    imports: [
      "./*",
      "./*/*",
      "./transports/callers/*",
      "./transports/limits/*",
      "./transports/requests/*",
      "./transports/http/transport.ts",
      "./transports/trpc/in-process.ts",
      "./transports/trpc/own-procedures.ts",
      "./transports/trpc/router.ts",
      "#shared/**",
      "#package.json",
    ],
    except: ["./application.ts", "node:sqlite"],
    packages: [...NODE, "pino", "uuid", "zod"],
  },
  {
    name: "server/application.ts, main.ts",
    files: ["server/{application,main}.ts"],
    imports: ["./application.ts", "./kinds/*/*", "./program.ts"],
    except: ["node:sqlite"],
    packages: NODE,
  },
  {
    name: "server/kinds/*.ts",
    files: ["server/kinds/*.ts"],
    imports: ["./*", "#shared/**"],
    packages: ["zod"],
  },
  {
    name: "server/kinds/*/",
    files: ["server/kinds/*/**"],
    imports: ["./**", "#server/kinds/define.ts", "#shared/**"],
    except: NODE_EXCEPT,
    packages: [...NODE, "zod"],
  },
  {
    name: "server/kinds/article/",
    files: ["server/kinds/article/**"],
    imports: ["./**", "#server/kinds/define.ts", "#server/kinds/article/**", "#shared/**"],
    except: NODE_EXCEPT,
    packages: [
      ...NODE,
      "@ai-sdk/anthropic",
      "@ai-sdk/google",
      "@ai-sdk/openai",
      "@ai-sdk/openai-compatible",
      "@mozilla/readability",
      "ai",
      "htmlparser2",
      "ipaddr.js",
      "linkedom",
      "marked",
      "sanitize-html",
      "tinyld",
      "undici",
      "zod",
    ],
  },
  {
    name: "server/engine/*.ts",
    files: ["server/engine/*.ts"],
    imports: ["./*", "#shared/**"],
    except: NODE_EXCEPT,
    packages: [...NODE, "ioredis"],
  },
  {
    name: "server/engine/index.ts, migrate.ts",
    files: ["server/engine/{index,migrate}.ts"],
    imports: ["./**", "#shared/**"],
    except: NODE_EXCEPT,
    packages: NODE,
  },
  {
    name: "server/engine/*/",
    files: ["server/engine/*/**"],
    imports: ["./**", "#server/engine/*", SYSTEM_CLOCK, "#shared/**"],
    except: ["#server/engine/index.ts", "#server/engine/migrate.ts", "node:module"],
    packages: [...NODE, "ioredis", "lru-cache", "uuid"],
  },
  {
    name: "server/streams/",
    files: ["server/streams/**"],
    imports: ["./**", "#server/engine/contract.ts", "#shared/**"],
    except: NODE_EXCEPT,
    packages: NODE,
  },
  {
    name: "server/presence/",
    files: ["server/presence/**"],
    imports: [
      "./*",
      "#server/engine/contract.ts",
      "#server/engine/presence-store.ts",
      "#server/streams/deferred-pipe.ts",
      "#server/streams/open.ts",
      "#server/streams/read-scheduler.ts",
      "#server/streams/source.ts",
      "#shared/**",
    ],
    except: NODE_EXCEPT,
    packages: [...NODE, "uuid"],
  },
  {
    name: "server/sessions/",
    files: ["server/sessions/**"],
    imports: ["./**", "#server/engine/contract.ts", "#shared/**"],
    except: NODE_EXCEPT,
    packages: NODE,
  },
  {
    name: "server/sign-ins/",
    files: ["server/sign-ins/**"],
    imports: ["./**", "#server/engine/contract.ts", "#shared/**"],
    except: NODE_EXCEPT,
    packages: NODE,
  },
  {
    name: "server/jobs/",
    files: ["server/jobs/**"],
    imports: [
      "./**",
      "#server/engine/contract.ts",
      "#server/kinds/define.ts",
      "#server/kinds/policies.ts",
      "#server/kinds/registry.ts",
      "#server/kinds/remote.ts",
      SYSTEM_CLOCK,
      "#server/tracing/job-spans.ts",
      "#shared/**",
    ],
    except: NODE_EXCEPT,
    packages: [...NODE, "pino", "uuid", "zod"],
  },
  {
    name: "server/work/",
    files: ["server/work/**"],
    imports: [
      "./*",
      "#server/engine/contract.ts",
      "#server/jobs/*",
      "#server/kinds/define.ts",
      "#server/kinds/policies.ts",
      "#server/kinds/remote.ts",
      "#shared/**",
    ],
    except: NODE_EXCEPT,
    packages: [...NODE, "pino", "zod"],
  },
  {
    name: "server/schedules/",
    files: ["server/schedules/**"],
    imports: [
      "./*",
      "#server/engine/contract.ts",
      "#server/engine/schedule-store.ts",
      "#server/jobs/*",
      "#server/kinds/registry.ts",
      "#shared/**",
    ],
    except: NODE_EXCEPT,
    packages: [...NODE, "croner", "pino", "uuid", "zod"],
  },
  {
    name: "server/auth/",
    files: ["server/auth/**"],
    imports: [
      "./*",
      "#server/engine/contract.ts",
      "#server/engine/schedule-store.ts",
      "#server/schedules/changes.ts",
      SYSTEM_CLOCK,
      "#shared/**",
    ],
    except: NODE_EXCEPT,
    packages: [...NODE, "jose", "lru-cache", "uuid", "zod"],
  },
  {
    name: "server/oidc/",
    files: ["server/oidc/**"],
    imports: ["./*", "#server/auth/claims.ts", "#server/auth/oidc-variables.ts", "#shared/**"],
    except: NODE_EXCEPT,
    packages: [...NODE, "jose", "openid-client", "zod"],
  },
  {
    name: "server/limits/",
    files: ["server/limits/**"],
    imports: ["./*", "#server/engine/contract.ts", "#shared/**"],
    except: NODE_EXCEPT,
    packages: [...NODE, "ioredis", "lru-cache", "rate-limiter-flexible"],
  },
  {
    name: "server/metrics/",
    files: ["server/metrics/**"],
    imports: [
      "./*",
      "#server/engine/observe-engine.ts",
      "#server/engine/storage.ts",
      "#server/jobs/runner-observer.ts",
      "#server/limits/limits.ts",
      "#server/schedules/observer.ts",
      "#server/streams/open.ts",
      "#server/transports/observer.ts",
      "#server/transports/usage.ts",
      "#shared/**",
    ],
    except: NODE_EXCEPT,
    packages: ["prom-client"],
  },
  {
    name: "server/control/",
    files: ["server/control/**"],
    imports: ["./*", "#server/auth/management.ts", "#shared/**"],
    except: NODE_EXCEPT,
    packages: [...NODE, "pino", "zod"],
  },
  {
    name: "server/command/",
    files: ["server/command/**"],
    imports: [
      "./*",
      "./client/commands.ts",
      "./doctor/**",
      "#server/auth/*",
      "#server/config.ts",
      "#server/control/*",
      "#server/engine/index.ts",
      "#server/starter.ts",
      "#server/kinds/define.ts",
      "#server/kinds/registry.ts",
      "#server/migrate.ts",
      "#server/program.ts",
      "#shared/**",
      "#package.json",
    ],
    except: NODE_EXCEPT,
    packages: [...NODE, "commander", "jose", "uuid", "zod"],
  },
  {
    name: "server/command/client/",
    files: ["server/command/client/**"],
    imports: ["./*", "#server/command/*", "#shared/**"],
    except: NODE_EXCEPT,
    packages: [...NODE, "cli-progress", "commander", "papaparse", "uuid", "ws", "zod"],
  },
  {
    name: "server/command/doctor/",
    files: ["server/command/doctor/**"],
    imports: [
      "./**",
      "#server/command/doctor/**",
      "#server/config.ts",
      "#server/control/*",
      "#server/engine/index.ts",
      "#server/exposure.ts",
      "#server/node-version.ts",
      "#server/oidc/*",
      "#server/start-tracing.ts",
      "#server/tls/*",
      "#shared/**",
      "#package.json",
    ],
    except: NODE_EXCEPT,
    packages: [...NODE, "ws"],
  },
  {
    name: "server/sources/",
    files: ["server/sources/**"],
    imports: [
      "./*",
      "#server/auth/audit.ts",
      "#server/engine/contract.ts",
      "#server/jobs/jobs.ts",
      "#server/jobs/visible.ts",
      "#server/kinds/kind-error.ts",
      "#shared/**",
    ],
    packages: ["pino"],
  },
  {
    name: "server/bullmq/",
    files: ["server/bullmq/**"],
    imports: [
      "./*",
      "#server/engine/contract.ts",
      "#server/jobs/copy-as-json.ts",
      "#server/kinds/kind-error.ts",
      "#server/sources/*",
      "#shared/**",
    ],
    except: NODE_EXCEPT,
    packages: [...NODE, "ioredis", "uuid"],
  },
  {
    name: "server/testing/",
    files: ["server/testing/**"],
    imports: [
      "./*",
      "#server/jobwire.ts",
      "#server/kinds/define.ts",
      "#server/transports/trpc/own-procedures.ts",
      "#shared/**",
    ],
    except: NODE_EXCEPT,
    packages: NODE,
  },
  {
    name: "server/time/",
    files: ["server/time/**"],
    imports: ["#shared/**"],
    packages: [],
  },
  {
    name: "server/tracing/",
    files: ["server/tracing/**"],
    imports: ["./*", "#shared/**"],
    except: ["./sdk.ts"],
    packages: ["@opentelemetry/api"],
  },
  {
    name: "server/tracing/sdk.ts",
    files: ["server/tracing/sdk.ts"],
    imports: ["#shared/**"],
    packages: [
      "@opentelemetry/api",
      "@opentelemetry/core",
      "@opentelemetry/exporter-trace-otlp-proto",
      "@opentelemetry/resources",
      "@opentelemetry/sdk-trace-node",
      "pino",
    ],
  },
  {
    name: "server/tls/",
    files: ["server/tls/**"],
    imports: ["./*", "#shared/**"],
    except: NODE_EXCEPT,
    packages: [...NODE, "pino"],
  },
  {
    name: "server/transports/*.ts",
    files: ["server/transports/*.ts"],
    imports: [
      "./*",
      "./callers/*",
      "./limits/*",
      "./requests/*",
      "./sockets/*",
      ...BELOW_TRANSPORTS,
    ],
    except: NODE_EXCEPT,
    packages: [...NODE, "pino"],
  },
  {
    name: "server/transports/index.ts",
    files: ["server/transports/index.ts"],
    imports: ["./**", "#shared/**"],
    except: NODE_EXCEPT,
    packages: [...NODE, "pino"],
  },
  {
    name: "server/transports/*/",
    files: ["server/transports/*/**"],
    imports: ["./**", "#server/transports/*", ...USED_BY_TRANSPORTS, ...BELOW_TRANSPORTS],
    except: [
      ...NODE_EXCEPT,
      "#server/transports/index.ts",
      "#server/transports/mount.ts",
      "#server/transports/requests/origins.ts",
    ],
    packages: [
      ...NODE,
      "@socket.io/redis-adapter",
      "@trpc/server",
      "@trpc/server/**",
      "helmet",
      "ioredis",
      "pino",
      "sirv",
      "socket.io",
      "superjson",
      "ws",
      "zod",
    ],
  },
  {
    name: "server/transports/{callers,limits,requests}/",
    files: ["server/transports/{callers,limits,requests}/**"],
    imports: ["./*", "#server/transports/*", ...USED_BY_TRANSPORTS, ...BELOW_TRANSPORTS],
    except: [...NODE_EXCEPT, "#server/transports/index.ts", "#server/transports/mount.ts"],
    packages: [...NODE, "@msgpack/msgpack", "pino"],
  },
  {
    name: "server/transports/sockets/",
    files: ["server/transports/sockets/**"],
    imports: ["./*", "#server/transports/*", ...USED_BY_TRANSPORTS, ...BELOW_TRANSPORTS],
    except: [...NODE_EXCEPT, "#server/transports/index.ts", "#server/transports/mount.ts"],
    packages: [...NODE, "@msgpack/msgpack", "ws"],
  },
  {
    name: "client/",
    files: ["client/**"],
    imports: ["./**", "#client/**", "#shared/**"],
    except: ["./app/article/**", "./article/**", "#client/app/article/**", "#shared/article/**"],
    packages: [
      "@tanstack/react-query",
      "@trpc/client",
      "lucide-react",
      "react",
      "react-dom/client",
      "socket.io-client",
      "wouter",
    ],
  },
  {
    name: "client/app/kinds.ts",
    files: ["client/app/kinds.ts"],
    imports: ["./kind-parts.ts", "./*/kind.ts", "#shared/**"],
    packages: [],
  },
  {
    name: "client/app/article/",
    files: ["client/app/article/**"],
    imports: ["./**", "#client/**", "#shared/**"],
    except: ["#client/app/kinds.ts"],
    packages: [
      "@tanstack/react-query",
      "dompurify",
      "lucide-react",
      "papaparse",
      "react",
      "wouter",
    ],
  },
  {
    name: "client/lib/",
    files: ["client/lib/**"],
    imports: ["./**", "#shared/**"],
    except: ["#shared/**/*.schema.ts", "#shared/*variables.ts"],
    packages: ["@trpc/client", "@trpc/server/observable", "socket.io-client", "superjson"],
  },
  {
    name: "client/lib/react/",
    files: ["client/lib/react/**"],
    imports: ["./**", "#client/lib/*", "#shared/**"],
    except: ["#client/lib/react.tsx", "#shared/**/*.schema.ts", "#shared/*variables.ts"],
    packages: ["@tanstack/react-query", "react"],
  },
  {
    name: "tests of these, test/",
    files: ["{shared,server,client}/**/*.{test,test-d}.{ts,tsx}", "test/**"],
    imports: ["./**", ...PRODUCT, "#test/**"],
    packages: "any",
  },
  {
    name: "e2e/",
    files: ["e2e/**"],
    imports: ["./**", ...PRODUCT, "#test/**", "#e2e/**", "#package.json"],
    packages: "any",
  },
  {
    name: "examples/",
    files: ["examples/**"],
    imports: ["./**", "../jobs.ts"],
    packages: "any",
  },
  {
    name: "bench/",
    files: ["bench/**"],
    imports: ["./**", ...PRODUCT, "#test/**", "#e2e/**", "#bench/**", "#package.json"],
    packages: "any",
  },
  {
    name: "scripts/",
    files: ["scripts/**"],
    imports: ["./**", ...PRODUCT, "#test/**", "#e2e/**", "#package.json"],
    packages: "any",
  },
];

/** The core knows no kind. Without this entry `#shared/**` would lead around that. */
export const directions = all.map((direction) => {
  const { name, imports, except = [] } = direction;
  const covers = imports.includes("#shared/**") && !KNOW_ARTICLE.has(name);
  return covers ? { ...direction, except: [...except, ARTICLE] } : direction;
});

export function refusal({ name, imports, packages }: Direction): string {
  const modules = [...imports, ...(packages === "any" ? ["any package"] : packages)];
  return `${name} may import: ${modules.join(", ")}.`;
}

/**
 * The options of `no-restricted-imports`. Its regular expressions have no lookahead (oxlint accepts one and never matches
 * it), so an allow-list is a group that refuses all and takes back what is allowed. The patterns are those of .gitignore,
 * where a `#` is escaped.
 */
export function restrictedImports(direction: Direction) {
  const { name, imports, packages, except = [], typeOnly } = direction;
  const all = packages === "any" ? ["#*", "#*/**", "..", "../**"] : ["*"];
  const allowed = [...imports, ...(packages === "any" ? [] : packages)];
  const group = [...all, ...allowed.map((module) => `!${module}`), ...except];
  const patterns = [{ group: group.map(escapeHash), message: refusal(direction) }];
  if (typeOnly === undefined) return { patterns };
  const message = `${name} may import ${typeOnly} as a type only.`;
  return {
    patterns: [{ regex: `^${typeOnly}$`, allowTypeImports: true, message }, ...patterns],
  };
}

const escapeHash = (pattern: string): string => pattern.replace("#", "\\#");
