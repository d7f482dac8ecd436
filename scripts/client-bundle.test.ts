/** Bundles the client library as a front end does, and reads from the bundler which modules it has loaded. */
import { isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Packages that a program installs for the parts of the library that need them. */
const PEERS = [/^react(\/|$)/, "@tanstack/react-query", "socket.io-client"];
/** The packages that `@jobwire/client` depends on. tRPC's client needs tRPC's server; superjson needs copy-anything. */
const PACKAGES = ["@trpc/client", "@trpc/server", "copy-anything", "superjson"];
/** A file of the library, or a file of `shared/` that has no schema. */
const OWN_FILE = /^(?:client\/lib(?:\/react)?|shared)\/(?!variables\.ts$)[\w-]+\.tsx?$/;

/** Minified and compressed, with its packages. */
const MAX_CLIENT_BYTES = 25_000;

interface Bundle {
  /** After gzip. */
  bytes: number;
  /** All that was loaded, in the bundle or not: names of packages, and paths of files of the repository. */
  modules: string[];
  code: string;
}

async function bundle(entry: string, define: Record<string, string> = {}): Promise<Bundle> {
  let modules: string[] = [];
  const { output } = (await build({
    root: ROOT,
    configFile: false,
    logLevel: "silent",
    define,
    // vitest's own NODE_ENV would select the development build of JSX.
    oxc: { jsx: { development: false } },
    plugins: [
      {
        name: "loaded-modules",
        generateBundle() {
          modules = [...this.getModuleIds()];
        },
      },
    ],
    build: {
      write: false,
      rolldownOptions: {
        input: join(ROOT, entry),
        external: PEERS,
        preserveEntrySignatures: "strict",
      },
    },
  })) as Rolldown.RolldownOutput;
  const chunks = output.filter((part) => part.type === "chunk");
  return {
    bytes: chunks.reduce((sum, { code }) => sum + gzipSync(code).length, 0),
    modules: [...new Set(modules.map(nameOf))].toSorted(),
    code: chunks.map(({ code }) => code).join("\n"),
  };
}

/** Vite puts an empty module in the place of a module of Node. */
function nameOf(id: string): string {
  if (id.includes("node:")) return id.slice(id.indexOf("node:"));
  return (
    /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ??
    (isAbsolute(id) ? relative(ROOT, id) : id)
  );
}

const foreignIn = ({ modules }: Bundle) =>
  modules.filter((module) => !OWN_FILE.test(module) && !PACKAGES.includes(module));

test(`the client with its packages has at most ${MAX_CLIENT_BYTES / 1000} kB, compressed`, async () => {
  const { bytes, modules } = await bundle("client/lib/client.ts");
  expect(modules).toEqual(expect.arrayContaining(PACKAGES));
  expect(bytes).toBeLessThanOrEqual(MAX_CLIENT_BYTES);
});

test.each([
  { part: "client.ts", peers: [] },
  { part: "react.tsx", peers: ["@tanstack/react-query", "react", "react/jsx-runtime"] },
  { part: "legacy-client.ts", peers: ["socket.io-client"] },
])("$part loads the library, its packages and its peers", async ({ part, peers }) => {
  expect(foreignIn(await bundle(`client/lib/${part}`))).toEqual(peers);
});

test("an app's bundler can put the address of the older system's variable into the code", async () => {
  const define = { "process.env.NEXT_PUBLIC_WS_URL": JSON.stringify("wss://jobs.example.com") };
  const { code } = await bundle("client/lib/legacy-client.ts", define);
  expect(code).toContain("wss://jobs.example.com");
  expect(code).not.toContain("process");
});

test.each([
  { entry: "shared/job.schema.ts", foreign: ["shared/job.schema.ts", "zod"] },
  { entry: "server/node-name.ts", foreign: ["node:os", "server/node-name.ts"] },
])("a schema, zod, Node and the server would be seen: $entry", async ({ entry, foreign }) => {
  expect(foreignIn(await bundle(entry))).toEqual(expect.arrayContaining(foreign));
});
