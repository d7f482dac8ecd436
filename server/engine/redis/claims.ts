/**
 * Claims. The ring says whose turn it is, a script of each of these tenants takes its next jobs, and the change script starts
 * them under their claims. So a process may die after each step: a job that it took and did not start is PENDING and held, and
 * is found when its lease ends, as one that it started.
 */
import type { Claim, ClaimRequest } from "#server/engine/contract.ts";
import { type ClaimLimits, createClaimLimits } from "./claim-limits.ts";
import type { Renew } from "./leases.ts";
import type { Permits } from "./permits.ts";
import type { Ended, Ring, Turns } from "./ring.ts";
import type { Starts, Taken } from "./starts.ts";
import { isOver, type Takes } from "./takes.ts";

const NO_TURNS: Turns = {
  op: "",
  due: [],
  now: 0,
  runs: [],
  before: new Map(),
  reserved: [],
  counted: [],
  uncounted: [],
  paused: new Map(),
};

interface ClaimsOptions {
  takes: Takes;
  ring: Pick<Ring, "turn">;
  permits: Pick<Permits, "count">;
  starts: Starts;
  renew: Renew;
}

/** The returned function is `claim` of the contract. */
export function createClaims({
  takes,
  ring,
  permits,
  starts,
  renew,
}: ClaimsOptions): (request: ClaimRequest) => Promise<Claim[]> {
  /** With unknown results, as the calls that `takes` repeats. */
  const unstarted: Taken[] = [];
  /** Claims that succeeded only after their caller got its answer. */
  const late: Claim[] = [];

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
    for (const repeated of takes.again(request)) {
      repeated
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

  /** Takes turns, once all kinds whose limits need it are counted. Rejects if the ring does not answer. */
  async function turnOf(
    ended: readonly Ended[],
    room: number,
    limits: ClaimLimits,
    failures: unknown[],
  ): Promise<Turns> {
    const turns = await ring.turn(ended, room, limits.forRing());
    if (turns.uncounted.length === 0) return turns;
    try {
      await permits.count(turns.uncounted);
    } catch (cause) {
      failures.push(cause);
      limits.leaveOut(turns.uncounted);
    }
    return turnOf([], room, limits, failures);
  }

  return async (request) => {
    const claims = await takeLate(request);
    goOn(request);
    const failures: unknown[] = [];
    const limits = createClaimLimits(request.limits, request.wanted);
    const turn = async (ended: readonly Ended[], room: number): Promise<Turns> => {
      try {
        return await turnOf(ended, Math.max(0, room), limits, failures);
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
      const { jobs, ended } = await takes.take({ turns, room, request, limits, failures });
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
