import { expect, test } from "vitest";
import { startServer } from "#e2e/server.ts";
import type { Target } from "./attack.ts";
import { testAttacks } from "./attacks.suite.ts";
import {
  COLONS,
  COMMENTS,
  createArticle,
  PAGE_ATTACKS,
  serveForeign,
  settled,
} from "./foreign-pages.ts";
import { ask, settles } from "./requests.ts";

testAttacks(PAGE_ATTACKS);

test.each([COMMENTS, COLONS])(
  "while a page of $what is read, the server answers, stops on SIGTERM, and starts again",
  { timeout: 600_000 },
  async (page) => {
    const site = await serveForeign(page);
    const server = await startServer({ env: { FETCH_ALLOW: site.host, SHUTDOWN_GRACE_MS: "0" } });
    try {
      const target: Target = { host: "127.0.0.1", port: Number(new URL(server.url).port) };
      const jobId = await createArticle(target, site.host);
      await site.asked;
      expect(await ask(target, "/healthz")).toMatchObject({ status: 200 });
      const stopped = server.kill("SIGTERM");
      expect(await settles(stopped), "it stops").toBe(true);
      expect(await stopped).toBe(0);

      await server.restart();
      expect(await ask(target, "/healthz")).toMatchObject({ status: 200 });
      const job = await settled(target, jobId);
      expect(job.text).toMatch(/"status":"(DELIVERED|BLOCKED|ABORTED)"/);
    } finally {
      await server.kill("SIGKILL").catch(() => null);
      await server.stop();
      await site.close();
    }
  },
);
