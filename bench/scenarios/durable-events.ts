/**
 * Events per second that are committed to disk, each with its job's record and feed entry, compared with bare loops of
 * inserts. All contenders use batches of the same size and wait for each commit before the next.
 *
 * The goal refers to the loop over the columns of our own log, which stores everything that a replay needs. The plain
 * loop shows what these columns cost.
 */
import { openProgram, type Program } from "#bench/program.ts";
import type { BareInserts, Inserting } from "#bench/servers/bare-inserts.ts";
import type { Peer } from "#bench/servers/peer.ts";
import { median } from "#bench/statistics.ts";
import type { Scenario } from "./scenario.ts";

const PER_BATCH = [1, 10, 100, 500];
/** The judged batch size: about what a busy server gathers in one tick. */
const JUDGED = 100;
const OURS = "Jobwire, events";
const LOG = "bare loop into the log's table (judges)";
const PLAIN = "bare loop into two columns";

export const durableEvents: Scenario = {
  name: "durable-events",
  async run({ quick }) {
    const server = openProgram<Peer>("servers/jobwire.ts");
    const bare = openProgram<BareInserts>("servers/bare-inserts.ts");
    const batches = quick ? 5 : 100;
    const rounds = quick ? 1 : 5;
    const measured: Record<string, Record<string, number>> = { [OURS]: {}, [LOG]: {}, [PLAIN]: {} };
    try {
      await server.call("open", { jobs: 10 });
      for (const perBatch of PER_BATCH) {
        const seconds: Record<string, number[]> = { [OURS]: [], [LOG]: [], [PLAIN]: [] };
        // The first round is a warm-up.
        for (let round = 0; round <= rounds; round += 1) {
          const each = {
            [OURS]: await emit(server, batches, perBatch),
            [LOG]: await insert(bare, { table: "log", batches, perBatch }),
            [PLAIN]: await insert(bare, { table: "plain", batches, perBatch }),
          };
          if (round === 0) continue;
          for (const [who, ms] of Object.entries(each)) seconds[who]?.push(ms / 1000);
        }
        for (const [who, figures] of Object.entries(measured)) {
          figures[headingOf(perBatch)] = (batches * perBatch) / median(seconds[who] ?? []);
        }
      }
    } finally {
      await Promise.all([server.close(), bare.close()]);
    }
    const judged = (who: string) => measured[who]?.[headingOf(JUDGED)] ?? Number.NaN;
    return {
      scenario: "durable-events",
      title: "Durable events a second, each commit flushed to disk",
      rows: Object.entries(measured).map(([who, figures]) => ({ who, figures })),
      goals: [
        {
          what: `against the bare loop into the log's table, ${JUDGED} a commit`,
          figure: judged(OURS) / judged(LOG),
          unit: " x",
          atLeast: 0.5,
        },
      ],
    };
  },
};

const headingOf = (perBatch: number) => `${perBatch} a commit`;

function emit(server: Program<Peer>, batches: number, perTick: number): Promise<number> {
  return server.call("emit", { events: batches * perTick, perTick, everyMs: 0, alike: true });
}

function insert(bare: Program<BareInserts>, inserting: Inserting): Promise<number> {
  return bare.call("insert", inserting);
}
