/**
 * Measures the cost of delivering events to many watchers, with all contenders running side by side: each round
 * measures every contender in turn, so that noise of the machine affects all of them.
 */
import type { Burst, Peer, Watch } from "#bench/servers/peer.ts";
import { messageOf } from "#shared/errors.ts";
import { type WatcherPool, openWatcherPool } from "./watcher-pool.ts";
import { openProgram, type Program } from "./program.ts";
import type { Row } from "./report.ts";
import { median, quantile } from "./statistics.ts";

export interface Contender {
  who: string;
  /** Its program in `servers/`; `undefined` if its requirements are not installed. */
  program: string | undefined;
  protocol: string;
  /** Bytes of JSON of the details in each event. */
  details?: number;
  /** The clients ask for compression with this offer. They count frames, and inflate none. */
  offer?: string;
  /** Depends on the machine: the bench goes on without it if it does not start. */
  optional?: boolean;
}

export interface Load {
  watchers: number;
  events: number;
  perTick: number;
  everyMs: number;
  rounds: number;
}

interface Entrant {
  who: string;
  server: Program<Peer>;
  pool: WatcherPool;
  rounds: Round[];
}

interface Round {
  /** Microseconds of CPU per delivery. */
  server: number;
  client: number;
  bytes: number;
  latencies: number[];
  /** Milliseconds from the commit, where there is one. */
  sinceCommit: number[];
}

export const CPU = "server CPU, µs a delivery";
export const BYTES = "bytes a delivery";
const P50 = "p50, ms";
/** For peers, which commit nothing, it is the time from the emission. */
export const SINCE_COMMIT = "p50 from the commit, ms";

/** One row per contender, in their order. */
export async function compareDelivery(
  contenders: readonly Contender[],
  load: Load,
): Promise<Row[]> {
  const entrants: Entrant[] = [];
  try {
    for (const contender of contenders) {
      const started = await startContender(contender);
      if (started === undefined) continue;
      const { server, port, watch } = started;
      const entrant = {
        who: contender.who,
        server,
        pool: openWatcherPool(load.watchers),
        rounds: [],
      };
      entrants.push(entrant);
      await entrant.pool.connect(port, [watch], load.watchers);
      // Warm-up, not counted: JIT compilation and growing buffers.
      await deliver(entrant, load);
    }
    for (let round = 0; round < load.rounds; round += 1) {
      for (const entrant of entrants) entrant.rounds.push(await deliver(entrant, load));
    }
  } finally {
    for (const { server, pool } of entrants) await Promise.all([pool.close(), server.close()]);
  }
  return contenders.map(({ who }) =>
    rowOf(
      who,
      entrants.find((entrant) => entrant.who === who),
    ),
  );
}

/** `undefined` if it is not installed or does not start. */
export async function startContender({
  who,
  program,
  protocol,
  details,
  offer,
  optional = false,
}: Contender): Promise<{ server: Program<Peer>; port: number; watch: Watch } | undefined> {
  if (program === undefined) return undefined;
  const server = openProgram<Peer>(program);
  try {
    const { port, watches } = await server.call("open", {
      jobs: 1,
      ...(details !== undefined && { details }),
      deflate: offer !== undefined,
    });
    const watch = watches[protocol];
    if (watch === undefined) throw new Error(`${who} does not speak ${protocol}.`);
    if (offer === undefined) return { server, port, watch };
    const headers = { ...watch.headers, "Sec-WebSocket-Extensions": offer };
    return { server, port, watch: { ...watch, headers } };
  } catch (error) {
    await server.close();
    if (!optional) throw error;
    process.stderr.write(`${who} does not start and is left out: ${messageOf(error)}\n`);
    return undefined;
  }
}

/** Emits events, waits until all watchers have received them, and divides the costs by the deliveries. */
export async function deliver(
  { server, pool }: Pick<Entrant, "server" | "pool">,
  { watchers, ...burst }: Omit<Load, "rounds"> & Pick<Burst, "onTime">,
): Promise<Round> {
  const { events } = burst;
  await pool.expect(events);
  const before = await server.call("cpu", undefined);
  const arrived = pool.arrived();
  await Promise.all([server.call("emit", burst), arrived]);
  const after = await server.call("cpu", undefined);
  const { cpu, bytes, latencies, steps } = await arrived;
  const commits = await server.call("commits", undefined);
  const deliveries = events * watchers;
  return {
    server: (after - before) / deliveries,
    client: cpu / deliveries,
    bytes: bytes / deliveries,
    latencies,
    sinceCommit:
      commits.length === 0 ? [] : latencies.map((each, i) => each - (commits[steps[i] ?? 0] ?? 0)),
  };
}

function rowOf(who: string, entrant: Entrant | undefined): Row {
  if (entrant === undefined) return { who };
  const { rounds } = entrant;
  const latencies = rounds.flatMap((round) => round.latencies);
  const sinceCommit = rounds.flatMap((round) => round.sinceCommit);
  return {
    who,
    figures: {
      [CPU]: median(rounds.map(({ server }) => server)),
      "client CPU, µs": median(rounds.map(({ client }) => client)),
      [BYTES]: median(rounds.map(({ bytes }) => bytes)),
      // Compressed frames do not show when they were sent.
      ...(latencies.length > 0 && {
        [P50]: quantile(latencies, 0.5),
        "p99, ms": quantile(latencies, 0.99),
        [SINCE_COMMIT]: quantile(sinceCommit.length > 0 ? sinceCommit : latencies, 0.5),
      }),
    },
  };
}

/** Ratio of a column's figures in two rows. */
export function ratio(rows: readonly Row[], column: string, who: string, to: string): number {
  const figure = (name: string) => rows.find((row) => row.who === name)?.figures?.[column];
  return (figure(who) ?? Number.NaN) / (figure(to) ?? Number.NaN);
}
