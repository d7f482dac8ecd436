/**
 * The cost of many jobs that wait: the CPU of a claim, the bytes of a job, and the time of reads. A claim starts its jobs, as
 * that of a worker does. All that are compared are open at once, and rounds alternate between them.
 */
import { hasProgram } from "#bench/installed.ts";
import { openProgram, type Program } from "#bench/program.ts";
import type { Goal, Report, Row } from "#bench/report.ts";
import {
  type Backlog,
  type ClaimCost,
  type Filled,
  type Read,
  READS,
  type Shape,
} from "#bench/servers/backlog.ts";
import { median, quantile } from "#bench/statistics.ts";
import type { Scenario } from "./scenario.ts";

const ONE = "CPU of a claim of one job, µs";
const OF_REDIS = "Redis' part of a claim of one, µs";
const MANY = "CPU of a job, 50 in a claim, µs";
const STORED = "stored, bytes a job";
const RESIDENT = "resident, bytes a job";
const AT_ONCE = 50;
const REDIS = "on Redis";
const ENGINES = ["embedded", REDIS];

interface Size {
  few: number;
  many: number;
  tenants: number;
  rounds: number;
  /** Claims of one job in a round. */
  claims: number;
  reads: number;
}

/** `than`: what it is compared with. `bytes`: enough jobs to count those of each. */
interface Case extends Shape {
  name: string;
  than?: string;
  bytes?: boolean;
}

function casesOf({ few, many, tenants }: Size): Case[] {
  const base = named({ jobs: few, tenants: 1, keys: 0 });
  const keyed = named({ jobs: few, tenants: 1, keys: few / 10 });
  return [
    base,
    { ...named({ jobs: many, tenants: 1, keys: 0 }), than: base.name, bytes: true },
    { ...named({ jobs: many / 10, tenants, keys: 0 }), than: base.name, bytes: true },
    keyed,
    { ...named({ jobs: many, tenants, keys: 10 }), than: keyed.name, bytes: true },
  ];
}

function named(shape: Shape): Case {
  return { ...shape, name: nameOf(shape) };
}

const numberOf = (n: number) => n.toLocaleString("en");

function nameOf({ jobs, tenants, keys }: Shape): string {
  const of = `${numberOf(jobs)} jobs of ${tenants === 1 ? "a tenant" : `${numberOf(tenants)} tenants`}`;
  return keys === 0 ? of : `${of}, ${numberOf(keys * tenants)} keys`;
}

interface Measured {
  who: string;
  of: Case;
  program: Program<Backlog>;
  filled: Filled;
  one: ClaimCost[];
  many: ClaimCost[];
}

export const waitingJobs: Scenario = {
  name: "waiting-jobs",
  async run({ quick }) {
    const size = quick
      ? { few: 1000, many: 10_000, tenants: 20, rounds: 1, claims: 2, reads: 2 }
      : { few: 1000, many: 1_000_000, tenants: 10_000, rounds: 7, claims: 50, reads: 300 };
    const cases = casesOf(size);
    const rows: Row[] = [];
    const goals: Goal[] = [];
    const reads: Row[] = READS.map((who) => ({ who, figures: {} }));
    const readGoals: Goal[] = [];
    for (const engine of ENGINES) {
      if (engine === REDIS && !hasProgram("redis-server", "--version")) {
        rows.push(...cases.map(({ name }) => ({ who: `${engine}: ${name}` })));
        continue;
      }
      const measured = await measure(engine, cases, size, async (largest) => {
        const times = await largest.call("reads", { count: size.reads });
        addFigures(engine, times, reads);
        readGoals.push(readGoalOf(engine, times));
      });
      rows.push(...measured.map(rowOf));
      goals.push(...goalsOf(measured));
    }
    const waiting = size.many.toLocaleString("en");
    return [
      report("A claim, by how many jobs wait", rows, goals),
      report(`Reads with ${waiting} waiting jobs of a tenant`, reads, readGoals),
    ];
  },
};

function report(title: string, rows: Row[], goals: Goal[]): Report {
  return { scenario: waitingJobs.name, title, rows, goals };
}

async function measure(
  engine: string,
  cases: readonly Case[],
  { rounds, claims }: Size,
  read: (largest: Program<Backlog>) => Promise<void>,
): Promise<Measured[]> {
  const env = engine === REDIS ? { BENCH_ENGINE: "redis" } : {};
  const measured: Measured[] = [];
  try {
    for (const of of cases) {
      const program = openProgram<Backlog>("servers/jobwire-backlog.ts", env);
      const { jobs, tenants, keys } = of;
      const entry = { who: `${engine}: ${of.name}`, of, program, one: [], many: [] };
      measured.push({ ...entry, filled: { stored: Number.NaN, resident: Number.NaN } });
      const filled = await program.call("fill", { jobs, tenants, keys });
      Object.assign(measured.at(-1) as Measured, { filled });
    }
    // The first round is a warm-up.
    for (let round = 0; round <= rounds; round += 1) {
      for (const { program, one, many } of measured) {
        const single = await program.call("claims", { count: claims, max: 1 });
        const several = await program.call("claims", { count: 1, max: AT_ONCE });
        if (round === 0) continue;
        one.push(single);
        many.push(several);
      }
    }
    await read((measured[1] as Measured).program);
  } finally {
    await Promise.all(measured.map(({ program }) => program.close()));
  }
  return measured;
}

function rowOf({ who, of, filled, one, many }: Measured): Row {
  const isRedis = who.startsWith(REDIS);
  return {
    who,
    figures: {
      [ONE]: costOf(one),
      ...(isRedis && { [OF_REDIS]: median(one.map(({ redis }) => redis)) }),
      [MANY]: costOf(many),
      ...(of.bytes === true && { [STORED]: filled.stored, [RESIDENT]: filled.resident }),
    },
  };
}

/** Of both processes. */
function costOf(costs: readonly ClaimCost[]): number {
  return median(costs.map(({ process, redis }) => process + redis));
}

function goalsOf(measured: readonly Measured[]): Goal[] {
  return measured.flatMap(({ who, of, one }) => {
    const base = measured.find(({ of: { name } }) => name === of.than);
    if (base === undefined) return [];
    const figure = costOf(one) / costOf(base.one);
    return { what: `${who}, against ${base.of.name}`, figure, unit: " x", atMost: 1.5 };
  });
}

type ReadTimes = Record<Read, number[]>;

function addFigures(engine: string, times: ReadTimes, rows: readonly Row[]): void {
  for (const [index, name] of READS.entries()) {
    Object.assign(rows[index]?.figures ?? {}, {
      [`${engine}: p50, ms`]: quantile(times[name], 0.5),
      [`${engine}: p99, ms`]: quantile(times[name], 0.99),
    });
  }
}

function readGoalOf(engine: string, times: ReadTimes): Goal {
  const slowest = Math.max(...READS.map((name) => quantile(times[name], 0.99)));
  return { what: `${engine}: the slowest p99`, figure: slowest, unit: " ms", atMost: 50 };
}
