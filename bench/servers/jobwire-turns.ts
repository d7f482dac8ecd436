/**
 * Jobwire with a kind whose jobs take `BENCH_JOB_MS`, for two tenants. `BENCH_ROLE`: the role of the process, as in `ROLE`;
 * `BENCH_SLOTS`: how many jobs it runs at the same time.
 */
import { setTimeout as delay } from "node:timers/promises";
import { createTRPCClient, httpLink } from "@trpc/client";
import { SignJWT } from "jose";
import superjson from "superjson";
import { z } from "zod";
import { answerCalls } from "#bench/program.ts";
import { createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { defineKind, delivered } from "#server/kinds/define.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import { openData } from "./data.ts";
import type { TurnsServer } from "./turns.ts";

const SECRET = "a secret for this measurement only";
const JOB_MS = Number(process.env.BENCH_JOB_MS);

const work = defineKind({
  name: "work",
  description: "Takes its time.",
  input: z.object({}),
  output: z.unknown(),
  title: () => "Work",
  start: { progress: 0, message: "Job started" },
  async run() {
    await delay(JOB_MS);
    return delivered("Done", null);
  },
});

const data = await openData();
const app = await createApp(
  loadConfig({
    PORT: "0",
    ...data.env,
    LOG_LEVEL: "error",
    ROLE: process.env.BENCH_ROLE ?? "all",
    CONCURRENCY: process.env.BENCH_SLOTS ?? "1",
    AUTH_JWT_SECRET: SECRET,
    SHUTDOWN_GRACE_MS: "0",
    HANDOVER_MS: "0",
  }),
  { kinds: [work] },
);

async function clientOf(tenant: string) {
  const token = await new SignJWT({ tenant, scope: PERSON_SCOPES.join(" ") })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject("ann")
    .setExpirationTime("1 hour")
    .sign(new TextEncoder().encode(SECRET));
  const headers = { authorization: `Bearer ${token}` };
  const link = httpLink({ url: `${app.url}/trpc`, transformer: superjson, headers });
  return createTRPCClient<AppRouter>({ links: [link] });
}

// In the order of their names the busy one comes first where both have the same turn.
const busy = await clientOf("a");
const other = await clientOf("b");
const JOB = { kind: "work", input: {} };

const program: TurnsServer = {
  async open() {},
  async fill({ jobs }) {
    const { id } = await busy.batch.create.mutate({
      jobs: Array.from({ length: jobs }, () => JOB),
    });
    while ((await busy.batch.get.query({ batchId: id })).status === "pending") await delay(5);
  },
  async waits({ jobs, everyMs, patienceMs }) {
    const ids: string[] = [];
    const begin = performance.now();
    for (let n = 0; n < jobs; n += 1) {
      await delay(Math.max(0, begin + n * everyMs - performance.now()));
      ids.push((await other.job.create.mutate(JOB)).id);
    }
    const until = performance.now() + patienceMs;
    const waits = ids.map(async (jobId) => {
      for (;;) {
        const { items } = await other.job.events.query({ jobId });
        const started = items.find(({ type }) => type === "started")?.at.getTime();
        const created = items[0]?.at.getTime() ?? 0;
        if (started !== undefined) return started - created;
        if (performance.now() > until) return Date.now() - created;
        await delay(50);
      }
    });
    return Promise.all(waits);
  },
};
answerCalls(program, async () => {
  await app.close();
  await data.remove();
});
