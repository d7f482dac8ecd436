/**
 * Measures how long other clients wait while hostile clients send input: from the request for an event until a watcher
 * receives it, and from a request for `/healthz` until its response, which also covers the time without events.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { AttackerProgram, Fault } from "#bench/client/attacker-program.ts";
import { openWatcherPool } from "#bench/watcher-pool.ts";
import { openProgram } from "#bench/program.ts";
import type { Row } from "#bench/report.ts";
import type { Peer } from "#bench/servers/peer.ts";
import type { Scenario } from "./scenario.ts";

const FAULTS: readonly Fault[] = [
  "annotations",
  "pages",
  "unread answers",
  "tiny pieces",
  "counts",
  "nesting",
];
/** The attacked server closes clients that read nothing for a second, and may fetch pages of this machine. */
const CONFIG = { STALL_TIMEOUT_MS: "1000", FETCH_ALLOW: "127.0.0.1", ALLOW_EIO3: "true" };
const WATCHERS = 3;
const EVERY_MS = 20;
const EVENT = "longest wait for an event, ms";
const HEALTH = "longest wait for /healthz, ms";
const EVENTS = 10;
const ATTACKED_MS = 6000;
/** Silence after an attack for which the server counts as lost. */
const LOST_MS = 5000;
const MAY_WAIT_MS = 250;

export const hostile: Scenario = {
  name: "hostile",
  async run({ quick }) {
    const forMs = quick ? 300 : ATTACKED_MS;
    const rows: Row[] = [await waitDuring(undefined, forMs / 4)];
    for (const fault of FAULTS) rows.push(await waitDuring(fault, forMs));
    const longest = Math.max(...rows.flatMap(({ figures }) => Object.values(figures ?? {})));
    return {
      scenario: "hostile",
      title: `Others wait while strangers send hostile input, for ${(forMs / 1000).toLocaleString("en")} s each`,
      rows,
      goals: [{ what: "longest wait", figure: longest, unit: " ms", atMost: MAY_WAIT_MS }],
    };
  },
};

async function waitDuring(fault: Fault | undefined, forMs: number): Promise<Row> {
  const server = openProgram<Peer>("servers/jobwire.ts", { BENCH_CONFIG: JSON.stringify(CONFIG) });
  const attacker = openProgram<AttackerProgram>("client/attacker-program.ts");
  const pool = openWatcherPool(WATCHERS);
  let over = false;

  async function longestEvent(): Promise<number> {
    await pool.expect(EVENTS);
    const arrived = pool.arrived();
    await Promise.all([
      server.call("emit", { events: EVENTS, perTick: 1, everyMs: EVERY_MS }),
      arrived,
    ]);
    return Math.max(...(await arrived).latencies);
  }

  async function longestEvents(): Promise<number> {
    let longest = 0;
    while (!over) longest = Math.max(longest, await longestEvent());
    return longest;
  }

  async function longestHealth(port: number): Promise<number> {
    let longest = 0;
    while (!over) {
      longest = Math.max(longest, await healthMs(port));
      await delay(EVERY_MS);
    }
    return longest;
  }

  try {
    const { port, watches } = await server.call("open", { jobs: 1 });
    if (watches.trpc === undefined) throw new Error("The server does not speak tRPC.");
    await pool.connect(port, [watches.trpc], WATCHERS);
    // Warm-up: JIT compilation is not counted.
    await longestEvent();
    await healthMs(port);

    const attacking =
      fault &&
      attacker.call("attack", { fault, port }).catch(() => {
        // Rejects when the attacker is closed.
      });
    const waits = Promise.all([longestEvents(), longestHealth(port)]);
    const timer = setTimeout(() => (over = true), forMs);
    const [event, health] = await Promise.race([waits, lost(forMs + LOST_MS)]);
    clearTimeout(timer);
    await attacker.close();
    await attacking;
    return { who: fault ?? "no attack", figures: { [EVENT]: event, [HEALTH]: health } };
  } catch {
    // The server is gone or does not answer in time.
    return { who: fault ?? "no attack", figures: { [EVENT]: LOST_MS, [HEALTH]: LOST_MS } };
  } finally {
    over = true;
    const unanswered = setTimeout(() => process.kill(server.pid, "SIGKILL"), LOST_MS);
    await Promise.all([attacker.close(), pool.close(), server.close()]);
    clearTimeout(unanswered);
  }
}

async function healthMs(port: number): Promise<number> {
  const begin = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}/healthz`);
  await response.text();
  return performance.now() - begin;
}

/** Rejects after `afterMs`. */
async function lost(afterMs: number): Promise<never> {
  await delay(afterMs, undefined, { ref: false });
  throw new Error("The server stopped answering.");
}
