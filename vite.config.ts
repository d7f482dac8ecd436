import { availableParallelism } from "node:os";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { COMPILE_CACHE } from "./e2e/compile-cache.ts";
import { precompressAssets } from "./scripts/precompress.ts";
import { SlowFirst } from "./test/setup/slow-first.ts";
import { reportSlowestFiles } from "./test/setup/slowest-files.ts";
import { findTestFiles } from "./test/setup/test-files.ts";

const root = import.meta.dirname;
/**
 * Tests that each run repeats on Redis: of jobs, streams and sign-ins, of what a transport keeps in the engine, and of each
 * transport's promises. Tests of runners set the clock themselves, which a Redis does not follow.
 */
const ON_ENGINE = [
  "server/jobs/jobs.test.ts",
  "server/{presence,sign-ins,streams}/**/*.test.ts",
  "server/bullmq/queues.test.ts",
  "server/auth/{lifetimes,matrix,revocation,shares}.test.ts",
  "server/{app,jobwire,unregistered-kind}.test.ts",
  "server/transports/sharing.test.ts",
  "server/transports/auth/{cookie,transport}.test.ts",
  "server/work/{open,work}.test.ts",
  "server/transports/api/suite.test.ts",
  "server/transports/socketio/{engine-sessions,restore,restore-races,suite}.test.ts",
  "server/transports/trpc/{resume,suite,tickets}.test.ts",
  "e2e/{client-library,kill9,witnesses}.test.ts",
];
/** Tests of what stands before the engine: requests, attacks, commands, clients. Only the long run repeats them on Redis. */
const BEFORE_ENGINE = [
  "client/lib/*.test.ts",
  "server/transports/**/*.test.ts",
  "e2e/{delivery,hostile,legacy,start}/*.test.ts",
  "e2e/browser/page.test.ts",
  "e2e/command.test.ts",
];
const server = process.env.JOBWIRE_URL ?? "http://localhost:8000";

export default defineConfig(({ mode }) => {
  const isLong = mode === "long";
  const testFiles = (patterns: readonly string[], alone?: boolean) =>
    findTestFiles(root, patterns, { isLong, ...(alone === undefined ? {} : { alone }) });
  const onRedis = (patterns: readonly string[]) =>
    findTestFiles(root, patterns, { isLong, onEngine: true });
  return {
    root: "client",
    // The page works below any path: the server writes it into the `<base>` element of index.html, which comes first there.
    base: "./",
    plugins: [react(), tailwindcss(), precompressAssets()],
    build: {
      outDir: "../dist/client",
      emptyOutDir: true,
      sourcemap: true,
      // In kB, before compression. Pages with large libraries are chunks of their own.
      chunkSizeWarningLimit: 550,
    },
    server: {
      port: 3000,
      proxy: {
        "/auth": { target: server },
        "/trpc": { target: server, ws: true },
        "/api/v1": { target: server, ws: true },
        "/socket.io": { target: server, ws: true },
        "/samples": { target: server },
      },
    },
    test: {
      root,
      setupFiles: ["test/setup/patient-waits.ts"],
      // Like the waits of that file.
      expect: { poll: { timeout: 120_000, interval: 20 } },
      // Tests of servers wait more than they work: six on two cores left a quarter of them idle.
      maxWorkers: Math.max(8, 3 * (availableParallelism() - 1)),
      // For threads of articles and programs that tests start.
      env: { ...COMPILE_CACHE, ...(isLong && { TEST_LONG: "1" }) },
      reporters: ["default", reportSlowestFiles()],
      sequence: { sequencer: SlowFirst },
      // One after the other: those whose files take longest first.
      projects: [
        {
          extends: true,
          test: {
            name: "e2e",
            isolate: false,
            include: testFiles(["{e2e,bench,test}/**/*.test.ts"]),
            globalSetup: ["test/setup/prerequisites.ts", "test/setup/redis-prerequisite.ts"],
            testTimeout: isLong ? 900_000 : 300_000,
            hookTimeout: 300_000,
          },
        },
        {
          extends: true,
          test: {
            name: "redis",
            isolate: false,
            include: [
              ...onRedis(ON_ENGINE),
              ...(isLong
                ? findTestFiles(root, BEFORE_ENGINE, { isLong: false, onEngine: true })
                : []),
            ],
            env: { TEST_ENGINE: "redis" },
            globalSetup: ["test/setup/prerequisites.ts", "test/setup/shared-redis.ts"],
            testTimeout: isLong ? 900_000 : 300_000,
            hookTimeout: 300_000,
          },
        },
        ...[true, false].map((alone) => ({
          extends: true as const,
          test: {
            name: alone ? "unit-alone" : "unit",
            isolate: alone,
            include: testFiles(["{shared,server,client,scripts}/**/*.test.{ts,tsx}"], alone),
            globalSetup: ["test/setup/redis-prerequisite.ts"],
            // Safety net for hung tests; generous for slow machines.
            testTimeout: 300_000,
            hookTimeout: 300_000,
          },
        })),
      ],
    },
  };
});
