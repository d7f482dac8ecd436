/**
 * Everybody comes back at once, each with the cursor of what it saw last, as after a deploy: how long until the last
 * one has everything that happened in the meantime. A bare WebSocket server that only greets is what connecting costs.
 */
import { openCrowd } from "#bench/crowd.ts";
import { openProgram } from "#bench/program.ts";
import type { Peer, Watch } from "#bench/servers/peer.ts";
import { median } from "#bench/statistics.ts";
import type { Scenario } from "./scenario.ts";

/** Events in the log, and the most that anybody missed of them: few enough that none are folded. */
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
    const crowd = openCrowd(watchers);
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
        await crowd.connect(port, [watches.trpc], watchers);
        await crowd.leave();
        ours.push(await crowd.connect(port, cursors, watchers));
        await crowd.leave();
        // The handshake alone: nothing is said and nothing sent.
        connecting.push(await crowd.connect(raw.port, [raw.watches.ws], watchers));
        await crowd.leave();
      }
    } finally {
      await Promise.all([crowd.close(), server.close(), bare.close()]);
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
  // Before the first event the job was created and started.
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
      // That it started, and each event that it missed.
      greeting: 1 + missed,
    };
  });
}
