/** CPU time of the server for each call over HTTP: without sign-in, with one caller's token, and with those of many. */
import { Agent, get } from "node:http";
import { SignJWT } from "jose";
import { openProgram } from "#bench/program.ts";
import type { Row } from "#bench/report.ts";
import type { Peer } from "#bench/servers/peer.ts";
import { median } from "#bench/statistics.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import type { Scenario } from "./scenario.ts";

const SECRET = "a secret for this measurement only";
const CALLERS = 500;
const CONCURRENCY = 8;
const ROUNDS = 7;
const FIGURE = "µs of CPU a call";
const ANONYMOUS = "no sign-in";
const ONE = "one caller's token";
const MANY = `tokens of ${CALLERS} callers`;

type Contender = { who: string; server: ReturnType<typeof openProgram<Peer>>; tokens: string[] };

const open = (config: Record<string, string>) =>
  openProgram<Peer>("servers/jobwire.ts", { BENCH_CONFIG: JSON.stringify(config) });

export const authenticatedCalls: Scenario = {
  name: "authenticated-calls",
  async run({ quick }) {
    const calls = quick ? 50 : 4000;
    const tokens = await Promise.all(Array.from({ length: CALLERS }, (_, n) => tokenOf(n)));
    // One caller makes more calls than the limit, which is counted all the same.
    const signedIn = { AUTH_JWT_SECRET: SECRET, LIMIT_USER_CALLS: "1000000" };
    const contenders: Contender[] = [
      { who: ANONYMOUS, server: open({}), tokens: [] },
      { who: ONE, server: open(signedIn), tokens: tokens.slice(0, 1) },
      { who: MANY, server: open(signedIn), tokens },
    ];
    const figures = new Map<string, number[]>(contenders.map(({ who }) => [who, []]));
    try {
      const ports = await Promise.all(
        contenders.map(async ({ server }) => (await server.call("open", { jobs: 0 })).port),
      );
      // The first round warms up. The contenders take turns, so that a busy moment of the machine hits all of them.
      for (let round = 0; round <= (quick ? 1 : ROUNDS); round += 1) {
        for (const [index, contender] of contenders.entries()) {
          const cost = await costOf(contender, ports[index] ?? 0, calls);
          if (round > 0) figures.get(contender.who)?.push(cost);
        }
      }
    } finally {
      await Promise.all(contenders.map(({ server }) => server.close()));
    }
    const costs = new Map([...figures].map(([who, each]) => [who, median(each)]));
    const rows: Row[] = [...costs].map(([who, cost]) => ({ who, figures: { [FIGURE]: cost } }));
    const ratio = (costs.get(ONE) ?? Number.NaN) / (costs.get(ANONYMOUS) ?? Number.NaN);
    return {
      scenario: "authenticated-calls",
      title: `Calls of job.list over HTTP, ${CONCURRENCY} at a time`,
      rows,
      goals: [
        { what: "a call with a token", figure: ratio, unit: " x of one without", atMost: 1.1 },
      ],
    };
  },
};

function tokenOf(n: number): Promise<string> {
  return new SignJWT({ tenant: "bench", scope: PERSON_SCOPES.join(" ") })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(`caller ${n}`)
    .setExpirationTime("1 hour")
    .sign(new TextEncoder().encode(SECRET));
}

async function costOf({ server, tokens }: Contender, port: number, calls: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  const before = await server.call("cpu", undefined);
  let made = 0;
  async function callOn(): Promise<void> {
    while (made < calls) {
      const token = tokens[made % tokens.length];
      made += 1;
      await call(port, agent, token);
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, callOn));
  const cost = ((await server.call("cpu", undefined)) - before) / calls;
  agent.destroy();
  return cost;
}

function call(port: number, agent: Agent, token: string | undefined): Promise<void> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const path = "/trpc/job.list";
    get({ host: "127.0.0.1", port, path, agent, headers }, (response) => {
      if (response.statusCode !== 200)
        reject(new Error(`job.list answered ${response.statusCode}.`));
      response.resume().once("end", resolve);
    }).once("error", reject);
  });
}
