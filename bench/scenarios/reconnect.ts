/**
 * All watchers reconnect at once, each with the cursor of its last event, as after a deploy: measures the time until the
 * last one has caught up. A bare WebSocket server that only sends a greeting shows the cost of connecting.
 */
import { openWatcherPool } from "#bench/watcher-pool.ts";
import { openProgram } from "#bench/program.ts";
import type { Peer, Watch } from "#bench/servers/peer.ts";
import { median } from "#bench/statistics.ts";
import type { Scenario } from "./scenario.ts";

/** Events in the log, and the most that a watcher missed: few enough that none are folded. */
const LOG = 500;
const MISSED = 60;
const ALL = "all caught up, ms";

export const reconnect: Scenario = {
  name: "reconnect",
  async run({ quick }) {
    const watchers = quick ? 100 : 2000;
    const rounds = quick ? 1 : 5;
    const server = openProgram<Peer>("servers/jobwire.ts");
    const bare = openProgram<Peer>("servers/raw-ws.ts");
    const pool = openWatcherPool(watchers);
    const ours: number[] = [];
    const connecting: number[] = [];
    try {
      const { port, watches } = await server.call("open", { jobs: 1 });
      const raw = await bare.call("open", { jobs: 1 });
      if (watches.trpc === undefined || raw.watches.ws === undefined) {
        throw new Error("A server does not speak the protocol.");
      }
      await server.call("emit", { events: LOG, perTick: 50, everyMs: 0 });
      const cursors = withCursors(watches.trpc);
      for (let round = 0; round < rounds; round += 1) {
        await pool.connect(port, [watches.trpc], watchers);
        await pool.leave();
        ours.push(await pool.connect(port, cursors, watchers));
        await pool.leave();
        // Only the handshake: no messages in either direction.
        connecting.push(await pool.connect(raw.port, [raw.watches.ws], watchers));
        await pool.leave();
      }
    } finally {
      await Promise.all([pool.close(), server.close(), bare.close()]);
    }
    return {
      scenario: "reconnect",
      title: `${watchers.toLocaleString("en")} watchers come back with cursors, each having missed 1 to ${MISSED} events`,
      rows: [
        {
          who: "Jobwire, tRPC",
          figures: { [ALL]: median(ours), "slowest round, ms": Math.max(...ours) },
        },
        { who: "raw ws, only connected", figures: { [ALL]: median(connecting) } },
      ],
      goals: [{ what: "all caught up", figure: median(ours), unit: " ms", atMost: 2000 }],
    };
  },
};

/** The same watch for each number of missed events. */
function withCursors(watch: Watch): Watch[] {
  // Two entries come before the first event: created and started.
  const head = LOG + 2;
  return Array.from({ length: MISSED }, (_, i) => {
    const missed = i + 1;
    const lastEventId = `"lastEventId":"${head - missed}"`;
    return {
      ...watch,
      says: watch.says.map(({ after, text }) => ({
        after,
        text: text.replace('"jobId"', `${lastEventId},"jobId"`),
      })),
      // `started`, and each missed event.
      greeting: 1 + missed,
    };
  });
}
