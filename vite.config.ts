import { availableParallelism } from "node:os";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.JOBWIRE_URL ?? "http://localhost:8000";

export default defineConfig({
  root: "client",
  plugins: [react(), tailwindcss()],
  build: { outDir: "../dist/client", emptyOutDir: true, sourcemap: true },
  server: {
    port: 3000,
    proxy: {
      "/trpc": { target: server, ws: true },
      "/socket.io": { target: server, ws: true },
      "/samples": { target: server },
    },
  },
  test: {
    root: import.meta.dirname,
    // Tests of servers wait more than they work: also two cores have work for two files.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["{shared,server,client,scripts}/**/*.test.{ts,tsx}"],
          globalSetup: ["test/setup/redis-prerequisite.ts"],
          // Only so that what hangs ends: a slow machine is no fault.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["{e2e,bench,test}/**/*.test.ts"],
          globalSetup: ["test/setup/prerequisites.ts", "test/setup/redis-prerequisite.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: "redis",
          // Tests of runners tell the time themselves, which a Redis does not listen to.
          include: [
            "server/jobs/jobs.test.ts",
            "server/{streams,transports}/**/*.test.ts",
            "server/app.test.ts",
            "client/lib/*.test.ts",
            "e2e/{delivery,hostile,legacy}/*.test.ts",
            "e2e/browser/page.test.ts",
            "e2e/{client-library,kill9,witnesses}.test.ts",
          ],
          env: { TEST_ENGINE: "redis" },
          globalSetup: ["test/setup/prerequisites.ts", "test/setup/shared-redis.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
