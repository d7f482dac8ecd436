import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, inject, test, vi } from "vitest";
import { freePort } from "#test/free-port.ts";
import { killOnExit } from "#test/kill-on-exit.ts";
import { type Example, startExample } from "./example.ts";
import { describeExample } from "./example.suite.ts";

const ports = { KEEPING_PORT: await freePort(), STRIPPING_PORT: await freePort() };

/** The example behind HAProxy, with its own configuration for it. */
async function startBehindProxy(env: Record<string, string>): Promise<Example> {
  const example = await startExample("behind-a-proxy", { env });
  const proxy = spawn(inject("haproxy"), ["-db", "-f", join(example.dir, "haproxy.cfg")], {
    env: {
      PATH: process.env.PATH,
      JOBWIRE_PORT: new URL(example.url).port,
      KEEPING_PORT: String(ports.KEEPING_PORT),
      STRIPPING_PORT: String(ports.STRIPPING_PORT),
    },
    stdio: "ignore",
  });
  killOnExit(proxy);
  for (const port of Object.values(ports)) {
    await vi.waitFor(async () => {
      expect((await fetch(`http://localhost:${port}/jobs/healthz`)).status).toBe(200);
    });
  }
  return {
    ...example,
    async remove() {
      const gone = once(proxy, "close");
      proxy.kill("SIGTERM");
      await gone;
      await example.remove();
    },
  };
}

describe.each([
  ["passes the path on", ports.KEEPING_PORT],
  ["removes the prefix", ports.STRIPPING_PORT],
])("a proxy that %s", (_, port) => {
  describeExample({
    basePath: "/jobs",
    start: startBehindProxy,
    front: () => `http://localhost:${port}`,
    kind: "checksums",
    input: () => ({ texts: Array.from({ length: 60 }, (_, index) => `text ${index}`) }),
    clientEnds: /3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3/,
  });

  test("the page's path is BASE_PATH, whatever a header says", async () => {
    for (const path of ["", "/jobs/1"]) {
      const page = await fetch(`http://localhost:${port}/jobs${path}`, {
        headers: { "X-Forwarded-Prefix": "/evil", "X-Forwarded-Path": "/evil" },
      });
      expect(await page.text()).toContain('<base href="/jobs/" />');
    }
  });
});
