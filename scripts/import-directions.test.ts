import { execFile } from "node:child_process";
import { cp, glob, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, matchesGlob } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ARTICLE_VARIABLES } from "#server/kinds/article/index.ts";
import { PEERS } from "#server/kinds/article/peers.ts";
import { directions, refusal } from "./import-directions.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDERS = ["shared", "server", "client", "test", "e2e", "examples", "bench", "scripts"];

interface Case {
  direction: string;
  file: string;
  refused: string[];
}

/** For each direction, imports that it must refuse. Those that it allows are taken from the direction itself. */
const cases: Case[] = [
  {
    direction: "shared/",
    file: "shared/x.ts",
    refused: [
      "node:fs",
      "uuid",
      "zod",
      "./job.schema.ts",
      "./article/article.schema.ts",
      "./article/article.ts",
      "#server/app.ts",
      "#test/free-port.ts",
      "../server/app.ts",
    ],
  },
  {
    direction: "shared/csv/",
    file: "shared/csv/x.ts",
    refused: [
      "node:fs",
      "zod",
      "#shared/job.schema.ts",
      "#shared/article/article.ts",
      "#server/app.ts",
    ],
  },
  {
    direction: "shared/api.ts",
    file: "shared/api.ts",
    refused: [
      "zod",
      "./job.schema.ts",
      "./article/article.ts",
      "#server/transports/trpc/router.ts",
      "@trpc/client",
    ],
  },
  {
    direction: "shared/article/",
    file: "shared/article/x.ts",
    refused: ["zod", "../job.schema.ts", "#shared/job.ts", "#server/kinds/article/kind.ts"],
  },
  {
    direction: "shared/**/*.schema.ts, *variables.ts",
    file: "shared/x.schema.ts",
    refused: ["node:fs", "uuid", "#server/app.ts", "@trpc/server", "./article/article.schema.ts"],
  },
  {
    direction: "server/*.ts",
    file: "server/x.ts",
    refused: [
      "../client/x.ts",
      "#client/lib/client.ts",
      "#test/free-port.ts",
      "../scripts/x.ts",
      "./kinds/article/index.ts",
      "./kinds/article/write/writers.ts",
      "#shared/article/article.ts",
      "./transports/socketio/broadcast-adapter.ts",
    ],
  },
  {
    direction: "server/application.ts, main.ts",
    file: "server/application.ts",
    refused: [
      "./app.ts",
      "./engine/sqlite/open.ts",
      "./kinds/article/write/writers.ts",
      "#shared/article/article.ts",
      "#server/jobs/jobs.ts",
      "pino",
    ],
  },
  {
    direction: "server/kinds/*.ts",
    file: "server/kinds/x.ts",
    refused: [
      "./article/index.ts",
      "./article/kind.ts",
      "#shared/article/article.ts",
      "#server/engine/contract.ts",
      "#server/jobs/jobs.ts",
      "node:fs",
    ],
  },
  {
    direction: "server/kinds/*/",
    file: "server/kinds/other/x.ts",
    refused: [
      "#server/kinds/article/brief.ts",
      "#server/kinds/article/index.ts",
      "../article/brief.ts",
      "#server/kinds/registry.ts",
    ],
  },
  {
    direction: "server/kinds/article/",
    file: "server/kinds/article/page/x.ts",
    refused: ["#server/kinds/other/kind.ts", "#server/application.ts", "#server/log.ts", "ioredis"],
  },
  {
    direction: "server/engine/*.ts",
    file: "server/engine/x.ts",
    refused: [
      "./sqlite/open.ts",
      "#server/engine/redis/client.ts",
      "#server/jobs/jobs.ts",
      "bullmq",
    ],
  },
  {
    direction: "server/engine/index.ts, migrate.ts",
    file: "server/engine/index.ts",
    refused: ["#server/jobs/jobs.ts", "#server/config.ts", "ioredis"],
  },
  {
    direction: "server/engine/*/",
    file: "server/engine/redis/x.ts",
    refused: [
      "#server/engine/sqlite/database.ts",
      "../sqlite/database.ts",
      "#server/engine/index.ts",
      "#server/streams/open.ts",
    ],
  },
  {
    direction: "server/streams/",
    file: "server/streams/x.ts",
    refused: ["#server/engine/redis/client.ts", "#server/engine/index.ts", "#server/jobs/jobs.ts"],
  },
  {
    direction: "server/presence/",
    file: "server/presence/x.ts",
    refused: ["#server/engine/redis/client.ts", "#server/streams/tail.ts", "#server/jobs/jobs.ts"],
  },
  {
    direction: "server/sessions/",
    file: "server/sessions/x.ts",
    refused: ["#server/engine/sqlite/rows.ts", "#server/streams/open.ts", "../streams/open.ts"],
  },
  {
    direction: "server/limits/",
    file: "server/limits/x.ts",
    refused: [
      "#server/config.ts",
      "#server/auth/permissions.ts",
      "#server/transports/contract.ts",
      "#server/jobs/jobs.ts",
      "#server/engine/redis/open.ts",
      "pino",
      "prom-client",
    ],
  },
  {
    direction: "server/sign-ins/",
    file: "server/sign-ins/x.ts",
    refused: ["#server/engine/sqlite/rows.ts", "#server/streams/open.ts", "../streams/open.ts"],
  },
  {
    direction: "server/work/",
    file: "server/work/x.ts",
    refused: ["#server/engine/sqlite/rows.ts", "#server/transports/contract.ts", "../config.ts"],
  },
  {
    direction: "server/schedules/",
    file: "server/schedules/x.ts",
    refused: ["#server/engine/sqlite/rows.ts", "#server/transports/contract.ts", "../config.ts"],
  },
  {
    direction: "server/auth/",
    file: "server/auth/x.ts",
    refused: ["#server/transports/contract.ts", "#server/config.ts", "../config.ts", "ioredis"],
  },
  {
    direction: "server/oidc/",
    file: "server/oidc/x.ts",
    refused: [
      "#server/auth/authenticate.ts",
      "#server/transports/contract.ts",
      "../config.ts",
      "ws",
    ],
  },
  {
    direction: "server/sources/",
    file: "server/sources/x.ts",
    refused: ["#server/bullmq/queues.ts", "#server/jobs/runner.ts", "ioredis"],
  },
  {
    direction: "server/bullmq/",
    file: "server/bullmq/x.ts",
    refused: ["bullmq", "#server/jobs/jobs.ts", "#server/engine/redis/client.ts", "node:sqlite"],
  },
  {
    direction: "server/testing/",
    file: "server/testing/x.ts",
    refused: [
      "vitest",
      "#test/free-port.ts",
      "#server/engine/contract.ts",
      "#client/lib/client.ts",
    ],
  },
  {
    direction: "server/time/",
    file: "server/time/x.ts",
    refused: ["#server/core.ts", "../config.ts", "#server/engine/contract.ts", "node:timers"],
  },
  {
    direction: "server/tracing/",
    file: "server/tracing/x.ts",
    refused: ["./sdk.ts", "@opentelemetry/sdk-trace-node", "#server/config.ts", "node:http"],
  },
  {
    direction: "server/tracing/sdk.ts",
    file: "server/tracing/sdk.ts",
    refused: ["./tracer.ts", "#server/log.ts", "@opentelemetry/sdk-node", "zod"],
  },
  {
    direction: "server/tls/",
    file: "server/tls/x.ts",
    refused: ["#server/transports/contract.ts", "#server/config.ts", "../config.ts", "zod"],
  },
  {
    direction: "server/metrics/",
    file: "server/metrics/x.ts",
    refused: [
      "#server/config.ts",
      "#server/transports/contract.ts",
      "#server/engine/contract.ts",
      "#server/jobs/runner.ts",
      "pino",
    ],
  },
  {
    direction: "server/control/",
    file: "server/control/x.ts",
    refused: ["#server/auth/authenticate.ts", "#server/engine/index.ts", "../config.ts", "ws"],
  },
  {
    direction: "server/command/",
    file: "server/command/x.ts",
    refused: [
      "#server/app.ts",
      "#server/engine/sqlite/open.ts",
      "#server/jobs/jobs.ts",
      "../config.ts",
      "ioredis",
    ],
  },
  {
    direction: "server/command/client/",
    file: "server/command/client/x.ts",
    refused: [
      "ioredis",
      "node:sqlite",
      "#client/lib/client.ts",
      "#server/config.ts",
      "#server/jobs/jobs.ts",
      "#server/transports/api/answers.ts",
    ],
  },
  {
    direction: "server/command/doctor/",
    file: "server/command/doctor/remote/x.ts",
    refused: [
      "commander",
      "ioredis",
      "node:sqlite",
      "#server/core.ts",
      "#server/engine/sqlite/open.ts",
      "#server/transports/trpc/transport.ts",
      "#test/free-port.ts",
    ],
  },
  {
    direction: "server/jobs/",
    file: "server/jobs/x.ts",
    refused: [
      "#server/engine/redis/client.ts",
      "#server/kinds/article/index.ts",
      "#server/kinds/article/kind.ts",
      "#shared/article/article.schema.ts",
      "#server/streams/open.ts",
    ],
  },
  {
    direction: "server/transports/*.ts",
    file: "server/transports/x.ts",
    refused: ["./trpc/router.ts", "#server/engine/contract.ts", "#server/kinds/define.ts", "ws"],
  },
  {
    direction: "server/transports/index.ts",
    file: "server/transports/index.ts",
    refused: ["#server/engine/index.ts", "#server/app.ts", "#server/jobs/jobs.ts"],
  },
  {
    direction: "server/transports/*/",
    file: "server/transports/trpc/x.ts",
    refused: [
      "#server/transports/socketio/transport.ts",
      "../socketio/transport.ts",
      "#server/transports/mount.ts",
      "#server/engine/contract.ts",
      "#server/streams/watch.ts",
    ],
  },
  {
    direction: "server/transports/{callers,limits,requests}/",
    file: "server/transports/requests/x.ts",
    refused: [
      "#server/transports/trpc/ws-handler.ts",
      "../socketio/transport.ts",
      "#server/transports/mount.ts",
      "#server/engine/contract.ts",
      "ws",
    ],
  },
  {
    direction: "server/transports/sockets/",
    file: "server/transports/sockets/x.ts",
    refused: [
      "#server/transports/trpc/ws-handler.ts",
      "../socketio/transport.ts",
      "#server/transports/mount.ts",
      "#server/engine/contract.ts",
      "pino",
    ],
  },
  {
    direction: "client/",
    file: "client/app/x.tsx",
    refused: [
      "node:fs",
      "#server/transports/trpc/ws-handler.ts",
      "#test/free-port.ts",
      "#server/config.ts",
      "./article/view.tsx",
      "#client/app/article/kind.ts",
      "#shared/article/article.ts",
      "dompurify",
      "ws",
    ],
  },
  {
    direction: "client/",
    file: "client/app/ui/x.tsx",
    refused: ["../article/view.tsx", "#client/app/article/view.tsx", "papaparse"],
  },
  {
    direction: "client/app/kinds.ts",
    file: "client/app/kinds.ts",
    refused: ["./article/view.tsx", "./app.tsx", "#client/app/article/view.tsx", "wouter"],
  },
  {
    direction: "client/app/article/",
    file: "client/app/article/x.tsx",
    refused: ["#client/app/kinds.ts", "../kinds.ts", "#server/kinds/article/kind.ts", "node:fs"],
  },
  {
    direction: "client/lib/",
    file: "client/lib/x.ts",
    refused: [
      "#client/app/theme.ts",
      "../app/theme.ts",
      "#shared/job.schema.ts",
      "#server/transports/trpc/router.ts",
      "#server/streams/open.ts",
      "node:fs",
      "react",
      "wouter",
      "zod",
    ],
  },
  {
    direction: "client/lib/react/",
    file: "client/lib/react/x.ts",
    refused: ["../client.ts", "#client/app/theme.ts", "#server/streams/open.ts", "zod"],
  },
  {
    direction: "tests of these, test/",
    file: "server/streams/x.test.ts",
    refused: ["../jobs/jobs.ts", "#e2e/server.ts", "#bench/run.ts"],
  },
  {
    direction: "tests of these, test/",
    file: "test/engine/x.ts",
    refused: ["../free-port.ts", "#e2e/server.ts", "#bench/run.ts"],
  },
  { direction: "e2e/", file: "e2e/x.ts", refused: ["../server/app.ts", "#bench/run.ts"] },
  {
    direction: "examples/",
    file: "examples/x/x.ts",
    refused: [
      "../../server/index.ts",
      "../express/jobs.ts",
      "#server/index.ts",
      "#test/free-port.ts",
    ],
  },
  { direction: "bench/", file: "bench/x.ts", refused: ["../server/app.ts", "#other/x.ts"] },
  { direction: "scripts/", file: "scripts/x.ts", refused: ["../e2e/server.ts", "#bench/run.ts"] },
];

const named = (name: string) => {
  const found = directions.find((direction) => direction.name === name);
  if (!found) throw new Error(`There is no direction ${name}.`);
  return found;
};

/** One module for each pattern of an allow-list. */
const allowedBy = (name: string): string[] => {
  const { imports, packages } = named(name);
  return [...imports, ...(packages === "any" ? ["zod", "node:fs", "ws"] : packages)].map(
    (pattern) => pattern.replace("**", "a/b.ts").replace(/\*$/, "x.ts"),
  );
};

const importLine = (module: string, n: number) => `import { a${n} } from "${module}";`;
/** Each form of an import, with the rule that refuses it. */
const forms = (module: string): [string, string][] => [
  [`import { a } from "${module}";`, "eslint(no-restricted-imports)"],
  [`import * as b from "${module}";`, "eslint(no-restricted-imports)"],
  [`import c from "${module}";`, "eslint(no-restricted-imports)"],
  [`import d = require("${module}");`, "eslint(no-restricted-imports)"],
  [`import "${module}";`, "eslint(no-restricted-imports)"],
  [`export { e } from "${module}";`, "eslint(no-restricted-imports)"],
  [`export * from "${module}";`, "eslint(no-restricted-imports)"],
  [`export const f = import("${module}");`, "eslint(no-restricted-imports)"],
  [`import type { g } from "${module}";`, "eslint(no-restricted-imports)"],
  [`export type { h } from "${module}";`, "eslint(no-restricted-imports)"],
  [`export type I = import("${module}").I;`, "typescript(consistent-type-imports)"],
];
const withForms: [string, [string, string][]][] = [
  ["server/streams/forms.ts", forms("#server/engine/redis/client.ts")],
  ["client/lib/forms.ts", forms("#shared/job.schema.ts")],
];

interface Refused {
  line: number;
  rule: string;
  message: string;
}
let directory: string;
let refused: Map<string, Refused[]>;

/** Lints a tree of small files, one import a line, with the project's own configuration: one run for all. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "jobwire-directions-"));
  await mkdir(join(directory, "scripts"));
  for (const file of ["oxlint.config.ts", "scripts/import-directions.ts"]) {
    await cp(join(ROOT, file), join(directory, file));
  }
  await symlink(join(ROOT, "node_modules"), join(directory, "node_modules"));
  for (const { direction, file, refused } of cases) {
    const { except = [] } = named(direction);
    await write(file, [...refused, ...except, ...allowedBy(direction)].map(importLine));
  }
  for (const [file, lines] of withForms) {
    await write(
      file,
      lines.map(([line]) => line),
    );
  }
  refused = await lint();
});

afterAll(() => rm(directory, { recursive: true, force: true }));

async function write(file: string, lines: string[]): Promise<void> {
  await mkdir(join(directory, dirname(file)), { recursive: true });
  await writeFile(join(directory, file), `${lines.join("\n")}\n`);
}

async function lint(): Promise<Map<string, Refused[]>> {
  const oxlint = join(ROOT, "node_modules/oxlint/bin/oxlint");
  const run = promisify(execFile)(process.execPath, [oxlint, "--format=json", ...FOLDERS], {
    cwd: directory,
    maxBuffer: 64 * 1024 * 1024,
  });
  const { stdout } = await run.catch((failed: { stdout: string }) => failed);
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: {
      code: string;
      help?: string;
      filename: string;
      labels: { span: { line: number } }[];
    }[];
  };
  const rules = new Set(forms("").map(([, rule]) => rule));
  const found = new Map<string, Refused[]>();
  for (const { code, help = "", filename, labels } of diagnostics) {
    const line = labels[0]?.span.line;
    if (!rules.has(code) || line === undefined) continue;
    found.set(filename, [...(found.get(filename) ?? []), { line, rule: code, message: help }]);
  }
  return found;
}

describe("each direction refuses what it does not list, and says what it allows", () => {
  test.each(cases)("$direction in $file", ({ direction, file, refused: modules }) => {
    const { typeOnly, name, except = [] } = named(direction);
    const lines = [...modules, ...except, ...allowedBy(direction)];
    const expected = [...modules, ...except].map((module) => [module, refusal(named(direction))]);
    if (typeOnly) expected.push([typeOnly, `${name} may import ${typeOnly} as a type only.`]);
    const found = (refused.get(file) ?? []).map(({ line, message }) => [lines[line - 1], message]);
    expect(new Set(found)).toEqual(new Set(expected));
  });
});

describe("the article kind", () => {
  const KIND = /^(#server|server|\.)\/kinds\/(article|\*)/;
  test("is imported only by its own folder and the application, which are no part of the core", () => {
    const importers = directions.filter(({ imports }) => imports.some((each) => KIND.test(each)));
    expect(importers.map(({ name }) => name)).toEqual([
      "server/application.ts, main.ts",
      "server/kinds/article/",
    ]);
    const core = directions.filter(({ name }) => /^(server|client\/lib)\//.test(name));
    const knowing = core.filter(
      ({ imports, except = [] }) =>
        imports.includes("#shared/**") && !except.includes("#shared/article/**"),
    );
    expect(knowing.map(({ name }) => name)).toEqual(["server/kinds/article/"]);
  });

  test("has its packages for itself, and checks that all of them are installed", () => {
    const { packages } = named("server/kinds/article/");
    const others = directions.filter(({ name }) => name !== "server/kinds/article/");
    const shared = new Set(others.flatMap((each) => each.packages));
    const own = [packages].flat().filter((each) => !shared.has(each));
    expect(own).toEqual(PEERS);
  });

  test("has no name, variable or sample page in the core", async () => {
    const files = await sources("{shared,server,client/lib}/**/*.{ts,tsx,lua}");
    const core = files.filter(
      (file) =>
        !/^(shared|server\/kinds)\/article\/|\.test(-d)?\.tsx?$/.test(file) &&
        !["server/application.ts", "server/main.ts"].includes(file),
    );
    expect(core.length).toBeGreaterThan(250);
    const words = new RegExp(
      ["article", "\\bsamples?/", ...Object.keys(ARTICLE_VARIABLES)].join("|"),
      "i",
    );
    const found: string[] = [];
    for (const file of core) {
      if (words.test(await readFile(join(ROOT, file), "utf8"))) found.push(file);
    }
    expect(found).toEqual([]);
  });
});

test("each direction has a case", () => {
  expect(new Set(cases.map(({ direction }) => direction))).toEqual(
    new Set(directions.map(({ name }) => name)),
  );
});

test.each(withForms)("every form of an import is seen in %s", (file, forms) => {
  const found = (refused.get(file) ?? []).map(({ line, rule }) => [forms[line - 1]?.[0], rule]);
  expect(new Set(found)).toEqual(new Set(forms));
});

test("every source file is in a direction", async () => {
  const patterns = directions.flatMap(({ files }) => files);
  const files = await sources(`{${FOLDERS.join(",")}}/**/*.{ts,tsx}`);
  expect(files.length).toBeGreaterThan(500);
  expect(files.filter((file) => !patterns.some((pattern) => matchesGlob(file, pattern)))).toEqual(
    [],
  );
});

// Lint sees no path in `new URL(…, import.meta.url)`, and none that is computed.
test("no file of the product reaches another folder by a URL or a computed import", async () => {
  const files = await sources("{shared,client,server/*}/**/*.{ts,tsx}");
  const product = files.filter((file) => !/\.(test|test-d)\.tsx?$/.test(file));
  expect(product.length).toBeGreaterThan(300);
  const reaching =
    /new URL\(\s*["'`](\.\.|file:)|import\.meta\.resolve\(\s*["'`][.#]|[^.\w]import\((?!\s*")/;
  const found: string[] = [];
  for (const file of product) {
    if (reaching.test(await readFile(join(ROOT, file), "utf8"))) found.push(file);
  }
  // The modules of users, which `jobwire start` runs.
  expect(found).toEqual(["server/command/load-module.ts"]);
});

test("the table in docs/architecture.md lists the same directions", async () => {
  const guide = await readFile(join(ROOT, "docs/architecture.md"), "utf8");
  const table = /<!-- directions -->([^]*?)<!-- \/directions -->/.exec(guide)?.[1] ?? "";
  const cells = table
    .split("\n")
    .filter((row) => row.startsWith("| `"))
    .map((row) => row.split("|").map((cell) => cell.trim()));
  const listed = cells.map(([, name = "", , imports = ""]) => ({
    name: name.replaceAll("`", ""),
    imports: [...imports.matchAll(/`(#[^`]*)`/g)].map(([, module]) => module),
  }));
  const enforced = directions.map(({ name, imports }) => ({
    name,
    imports: imports.filter((module) => module.startsWith("#")).map((m) => m.replace("**", "")),
  }));
  expect(listed).toEqual(enforced);
});

async function sources(pattern: string): Promise<string[]> {
  const found: string[] = [];
  for await (const file of glob(pattern, { cwd: ROOT })) found.push(file);
  return found.toSorted();
}
