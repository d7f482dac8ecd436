/**
 * Claims. The ring says whose turn it is, a script of each of these tenants takes its next jobs, and the change script starts
 * them under their claims. So a process may die after each step: a job that it took and did not start is PENDING and held, and
 * is found when its lease ends, as one that it started.
 */
import type { Claim, ClaimRequest } from "#server/engine/contract.ts";
import { isRefusal } from "./errors.ts";
import type { Keys } from "./keys.ts";
import type { Renew } from "./leases.ts";
import type { Ended, Ring, Turns } from "./ring.ts";
import type { RunScript } from "./scripts.ts";
import type { Starts, Taken, TakenJob } from "./starts.ts";

type Answer = [jobs: TakenJob[], ready: number, alarm: string, moment: number];

/** A call of `claim.lua`. */
interface Asked {
  tenant: string;
  /** Repeated calls with the same one take the jobs once. */
  op: string;
  most: number;
  kind: "due" | "ready";
  ringNow: number;
  /** When its leases are over, by the clock of this process. */
  till: number;
}

/** The most jobs of a tenant in one script. */
const MOST_PER_SCRIPT = 500;
const NO_TURNS: Turns = { due: [], now: 0, runs: [], before: new Map() };

interface ClaimsOptions {
  run: RunScript;
  keys: Keys;
  ring: Pick<Ring, "turn">;
  starts: Starts;
  renew: Renew;
  /** Returns a new idempotency key for a call. */
  op: () => string;
}

function isOver({ till }: Pick<Taken, "till">): boolean {
  return till <= performance.now();
}

/** The returned function is `claim` of the contract. */
export function createClaims({
  run,
  keys,
  ring,
  starts,
  renew,
  op,
}: ClaimsOptions): (request: ClaimRequest) => Promise<Claim[]> {
  /**
   * Calls with an unknown result. The next claim repeats them; otherwise their jobs could wait for the end of a lease without a
   * runner.
   */
  const unanswered: Asked[] = [];
  const unstarted: Taken[] = [];
  /** Claims that succeeded only after their caller got its answer. */
  const late: Claim[] = [];

  async function ask(asked: Asked, { leaseMs }: ClaimRequest): Promise<Answer> {
    const { tenant, op: name, most, kind, ringNow } = asked;
    try {
      return await run<Answer>("claim", keys.tenant(tenant), name, most, kind, leaseMs, ringNow);
    } catch (cause) {
      // After a refusal by Redis, nothing is stored.
      if (!isRefusal(cause)) unanswered.push(asked);
      throw cause;
    }
  }

  /** Asks the tenants of these turns, all at once. The jobs are in the order of the turns. */
  async function askAll(
    turns: Turns,
    room: number,
    request: ClaimRequest,
    failures: unknown[],
  ): Promise<{ jobs: Taken[]; ended: Ended[] }> {
    const { due, runs, before, now } = turns;
    const till = performance.now() + request.leaseMs;
    const counts = new Map<string, number>();
    for (const [tenant, count] of runs) counts.set(tenant, (counts.get(tenant) ?? 0) + count);
    const share = Math.max(1, Math.floor(room / due.length));
    const kind = due.length > 0 ? "due" : "ready";
    for (const [index, tenant] of due.entries()) counts.set(tenant, index < room ? share : 0);
    const found = new Map<string, Taken[]>();
    const ended = await Promise.all(
      Array.from(counts, async ([tenant, count]): Promise<Ended> => {
        const taken = kind === "due" ? 0 : count;
        const turn = before.get(tenant) ?? "";
        const most = Math.min(count, MOST_PER_SCRIPT);
        try {
          const asked: Asked = { tenant, op: op(), most, kind, ringNow: now, till };
          const [jobs, ready, alarm, moment] = await ask(asked, request);
          found.set(
            tenant,
            jobs.map((job) => ({ tenant, job, till })),
          );
          const is = ready > 0 ? "ready" : "empty";
          const given = kind === "due" ? 0 : jobs.length;
          return { tenant, is, taken, given, turn, moment, alarm };
        } catch (cause) {
          failures.push(cause);
          return { tenant, is: "failed", taken, given: 0, turn, moment: 0, alarm: "" };
        }
      }),
    );
    const inOrder = kind === "due" ? Array.from(counts) : runs;
    const jobs = inOrder.flatMap(([tenant, count]) => found.get(tenant)?.splice(0, count) ?? []);
    return { jobs, ended };
  }

  async function beginAll(
    jobs: readonly Taken[],
    request: ClaimRequest,
    failures: unknown[],
  ): Promise<Claim[]> {
    const begun = await Promise.allSettled(jobs.map((taken) => starts.begin(taken, request)));
    for (const [index, each] of begun.entries()) {
      if (each.status === "fulfilled") continue;
      failures.push(each.reason);
      unstarted.push(jobs[index] as Taken);
    }
    return begun.flatMap((each) => (each.status === "fulfilled" ? (each.value ?? []) : []));
  }

  /** Runs beside the current call. */
  function goOn(request: ClaimRequest): void {
    for (const asked of unanswered.splice(0)) {
      if (isOver(asked)) continue;
      ask(asked, request)
        .then(([jobs]) => jobs.map((job) => ({ tenant: asked.tenant, job, till: asked.till })))
        .then((jobs) => beginAll(jobs, request, []))
        .then((claims) => late.push(...claims))
        // A later claim tries again; in the end the leases are over.
        .catch(() => undefined);
    }
    for (const taken of unstarted.splice(0)) {
      if (isOver(taken)) continue;
      starts
        .beginAgain(taken, request)
        .then((claim) => claim && late.push(claim))
        .catch(() => unstarted.push(taken));
    }
  }

  /** Returns late claims that still hold, with a new lease. If renewal fails, they wait for the next call. */
  async function takeLate({ max, leaseMs }: ClaimRequest): Promise<Claim[]> {
    const claims = late.splice(0, max);
    if (claims.length === 0) return [];
    try {
      const lost = new Set(await renew(claims, leaseMs));
      return claims.filter((claim) => !lost.has(claim));
    } catch {
      late.push(...claims);
      return [];
    }
  }

  return async (request) => {
    const claims = await takeLate(request);
    goOn(request);
    const failures: unknown[] = [];
    const turn = async (ended: readonly Ended[], room: number): Promise<Turns> => {
      try {
        return await ring.turn(ended, Math.max(0, room));
      } catch (cause) {
        failures.push(cause);
        return NO_TURNS;
      }
    };
    /** Tenants that were asked in turn. Where none is new and no job came, the ring has nothing else. */
    const asked = new Set<string>();
    let turns = await turn([], request.max - claims.length);
    while (turns.due.length + turns.runs.length > 0) {
      const room = request.max - claims.length;
      const { jobs, ended } = await askAll(turns, room, request, failures);
      if (ended.every(({ is }) => is === "failed")) {
        // Redis may not answer this either, and the caller waits for its error.
        void turn(ended, 0);
        break;
      }
      const isNew = ended.some(({ tenant }) => !asked.has(tenant));
      // After alarms that were due there are others, or turns.
      const wasDue = turns.due.length > 0;
      if (!wasDue) for (const { tenant } of ended) asked.add(tenant);
      // A node that does not answer keeps the call for seconds, so after that it takes no more turns.
      const isSilent = !wasDue && ended.some(({ is }) => is === "failed");
      const goesOn = wasDue || ((jobs.length > 0 || isNew) && !isSilent);
      const [next, begun] = await Promise.all([
        turn(ended, goesOn ? room - jobs.length : 0),
        beginAll(jobs, request, failures),
      ]);
      claims.push(...begun);
      turns = next;
      const isEnd = turns.due.length + turns.runs.length === 0;
      // Jobs that were cancelled meanwhile left room.
      const left = request.max - claims.length;
      if (isEnd && goesOn && begun.length < jobs.length && failures.length === 0) {
        turns = await turn([], left);
      }
    }
    // After a failure the caller still receives the jobs that were taken.
    if (failures.length > 0 && claims.length === 0) throw failures[0];
    return claims;
  };
}
