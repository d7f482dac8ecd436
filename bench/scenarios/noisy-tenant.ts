/**
 * Deliveries to a tenant, alone and while another tenant asks for ten times what its limits allow. Rounds alternate between
 * both. The events are stamped with the time at which they are due, so that a late emission counts too.
 *
 * The noisy tenant has the limits of the configuration. What is limited a second or a minute, it asks for ten times
 * as often, all the time; of what is limited by number, it tries to open ten times as many a minute. The first of each pass, so
 * the figures also contain the cost of what the limits allow.
 */
import { SignJWT } from "jose";
import type { Ask, Asked, NoisyTenantProgram } from "#bench/client/noisy-tenant-program.ts";
import { deliver } from "#bench/delivery.ts";
import { openProgram } from "#bench/program.ts";
import type { Row } from "#bench/report.ts";
import type { Peer } from "#bench/servers/peer.ts";
import { quantile } from "#bench/statistics.ts";
import { openWatcherPool } from "#bench/watcher-pool.ts";
import { loadConfig } from "#server/config.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import type { Scenario } from "./scenario.ts";

const SECRET = "a secret for this measurement only";
const TIMES = 10;
const EVERY_MS = 50;
const ALONE = "alone";
const BESIDE = "beside a tenant at 10 times its limits";
const P99 = "p99, ms";

/** One job runs: the watched one. Those of the noisy tenant wait. */
const SERVER = { AUTH_JWT_SECRET: SECRET, TRUST_PROXY: "loopback", CONCURRENCY: "1" };
/** The others are the defaults. By default a user may have 10,000 subscriptions, and takes 100 s to open them. */
const FULL = { LIMIT_USER_SUBSCRIPTIONS: "1000" };
const QUICK = {
  LIMIT_ADDRESS_CONNECTIONS: "20",
  LIMIT_ADDRESS_UNAUTHENTICATED: "10",
  LIMIT_USER_CONNECTIONS: "20",
  LIMIT_USER_CALLS: "20",
  LIMIT_USER_SUBSCRIPTIONS: "20",
  LIMIT_TENANT_CREATED_JOBS: "2000",
};
const JOBS_A_BATCH = 100;
const SUBSCRIPTIONS_A_SOCKET = 1000;

export const noisyTenant: Scenario = {
  name: "noisy-tenant",
  async run({ quick }) {
    const { watchers, rounds, forMs } = quick
      ? { watchers: 10, rounds: 1, forMs: 500 }
      : { watchers: 100, rounds: 3, forMs: 20_000 };
    const config = { ...SERVER, ...(quick ? QUICK : FULL) };
    const server = openProgram<Peer>("servers/jobwire.ts", {
      BENCH_CONFIG: JSON.stringify(config),
    });
    const noisy = openProgram<NoisyTenantProgram>("client/noisy-tenant-program.ts");
    const pool = openWatcherPool(watchers);
    const latencies: Record<string, number[]> = { [ALONE]: [], [BESIDE]: [] };
    const asked: Record<string, Asked> = {};
    const load = {
      watchers,
      events: forMs / EVERY_MS,
      perTick: 1,
      everyMs: EVERY_MS,
      onTime: true,
    };
    try {
      const headers = await callerOf("quiet", "ann", "203.0.113.1");
      const { port, watches } = await server.call("open", { jobs: 1, headers });
      if (watches.trpc === undefined) throw new Error("The server does not speak tRPC.");
      await pool.connect(port, [watches.trpc], watchers);
      const asks = await asksOf(config, { forMs, port });
      const alone = () => deliver({ server, pool }, load);
      const beside = () => Promise.all([alone(), noisy.call("ask", { port, forMs, asks })]);
      // Warm-up of both, not counted.
      await beside();
      for (let round = 0; round < rounds; round += 1) {
        latencies[ALONE]?.push(...(await alone()).latencies);
        const [delivered, told] = await beside();
        latencies[BESIDE]?.push(...delivered.latencies);
        for (const [what, { times, refused }] of Object.entries(told)) {
          const sum = (asked[what] ??= { times: 0, refused: 0 });
          sum.times += times;
          sum.refused += refused;
        }
      }
    } finally {
      await Promise.all([noisy.close(), pool.close(), server.close()]);
    }
    const seconds = (rounds * forMs) / 1000;
    const p99 = (who: string) => quantile(latencies[who] ?? [], 0.99);
    return {
      scenario: "noisy-tenant",
      title: `Deliveries to ${watchers} watchers of a tenant, an event each ${EVERY_MS} ms`,
      rows: [
        ...Object.entries(latencies).map(([who, each]) => ({
          who,
          figures: { "p50, ms": quantile(each, 0.5), [P99]: quantile(each, 0.99) },
        })),
        ...Object.entries(asked).map(([what, { times, refused }]): Row => ({
          who: `its ${what}`,
          figures: { "a second": times / seconds, "refused, %": (100 * refused) / times },
        })),
      ],
      goals: [
        {
          what: "p99 beside the noisy tenant, against alone",
          figure: p99(BESIDE) / p99(ALONE),
          unit: " x",
          atMost: 1.3,
        },
      ],
    };
  },
};

/** All that the noisy tenant asks for in a round. */
async function asksOf(
  env: Record<string, string>,
  { forMs, port }: { forMs: number; port: number },
): Promise<Ask[]> {
  const most = loadConfig(env);
  const tenfold = (aSecond: number) => Math.ceil((TIMES * aSecond * forMs) / 1000);
  const creator = await callerOf("noisy", "creator", "198.51.100.4");
  const jobId = await createJob(port, creator);
  return [
    {
      what: "connections of one address",
      kind: "connections",
      path: "/trpc",
      times: tenfold(most.LIMIT_ADDRESS_CONNECTIONS / 60),
      // Users of their own, so that each limit is reached by itself.
      headers: await Promise.all(
        Array.from({ length: 10 }, (_, n) => callerOf("noisy", `user ${n}`, "198.51.100.1")),
      ),
    },
    {
      what: "connections of one user",
      kind: "connections",
      path: "/trpc",
      times: tenfold(most.LIMIT_USER_CONNECTIONS / 60),
      headers: await Promise.all(
        Array.from({ length: 10 }, (_, n) => callerOf("noisy", "connector", `192.0.2.${n}`)),
      ),
    },
    {
      what: "connections that do not sign in",
      kind: "connections",
      path: "/trpc?connectionParams=1",
      times: tenfold(most.LIMIT_ADDRESS_UNAUTHENTICATED / 60),
      headers: [{ "x-forwarded-for": "198.51.100.2" }],
    },
    {
      what: "calls of one user",
      kind: "calls",
      times: tenfold(most.LIMIT_USER_CALLS),
      headers: [await callerOf("noisy", "caller", "198.51.100.3")],
    },
    {
      what: "subscriptions of one user",
      kind: "subscriptions",
      jobId,
      perSocket: SUBSCRIPTIONS_A_SOCKET,
      times: tenfold(most.LIMIT_USER_SUBSCRIPTIONS / 60),
      headers: [creator],
    },
    {
      what: `batches of ${JOBS_A_BATCH} jobs`,
      kind: "batches",
      jobs: JOBS_A_BATCH,
      times: tenfold(most.LIMIT_TENANT_CREATED_JOBS / 60 / JOBS_A_BATCH),
      headers: [await callerOf("noisy", "batcher", "198.51.100.4")],
    },
    {
      what: "bad tokens",
      kind: "bad tokens",
      times: tenfold(most.LIMIT_ADDRESS_FAILED_SIGN_INS / 60),
      headers: [{ "x-forwarded-for": "198.51.100.5" }],
    },
  ];
}

async function createJob(port: number, headers: Record<string, string>): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/trpc/job.create`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ json: { kind: "pulse", input: {} } }),
  });
  const { result } = (await response.json()) as { result: { data: { json: { id: string } } } };
  return result.data.json.id;
}

/** Headers as a proxy on this machine sends them. */
async function callerOf(
  tenant: string,
  user: string,
  address: string,
): Promise<Record<string, string>> {
  const token = await new SignJWT({ tenant, scope: PERSON_SCOPES.join(" ") })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .setExpirationTime("1 hour")
    .sign(new TextEncoder().encode(SECRET));
  return { authorization: `Bearer ${token}`, "x-forwarded-for": address };
}
