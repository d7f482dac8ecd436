/** Takes the next jobs of tenants, as the ring gave turns: one script of each tenant, all at once. */
import type { ClaimRequest } from "#server/engine/contract.ts";
import type { ClaimLimits } from "./claim-limits.ts";
import { isRefusal } from "./errors.ts";
import type { Keys } from "./keys.ts";
import { permitName } from "./permits.ts";
import type { Before, Ended, Turns, UsedPermits } from "./ring.ts";
import type { RunScript } from "./scripts.ts";
import type { Taken, TakenJob } from "./starts.ts";

type Answer = [
  jobs: TakenJob[],
  ready: number,
  alarm: string,
  moment: number,
  free: string[],
  hasClosed: number,
  held: string[],
];

/** A call of `claim.lua`. */
interface Asked {
  tenant: string;
  /** Repeated calls with the same one take the jobs once. */
  op: string;
  most: number;
  kind: "due" | "ready";
  ringNow: number;
  limits: string;
  /** When its leases are over, by the clock of this process. */
  till: number;
}

export interface Takes {
  /** The jobs are in the order of the turns, `room` at most. Adds what failed to `failures`. */
  take(call: TakeCall): Promise<{ jobs: Taken[]; ended: Ended[] }>;
  /** Repeats the calls with unknown results. */
  again(request: ClaimRequest): Promise<Taken[]>[];
}

export interface TakeCall {
  turns: Turns;
  room: number;
  request: ClaimRequest;
  limits: ClaimLimits;
  failures: unknown[];
}

/** The most jobs of a tenant in one script. */
const MOST_PER_SCRIPT = 500;
const NONE_BEFORE: Before = { turn: "", added: "0" };

interface TakesOptions {
  run: RunScript;
  keys: Keys;
  /** Returns a new idempotency key for a call. */
  op: () => string;
}

export function isOver({ till }: Pick<Taken, "till">): boolean {
  return till <= performance.now();
}

export function createTakes({ run, keys, op }: TakesOptions): Takes {
  /**
   * Calls with an unknown result. The next claim repeats them; otherwise their jobs could wait for the end of a lease without a
   * runner.
   */
  const unanswered: Asked[] = [];

  async function ask(asked: Asked, { leaseMs }: ClaimRequest): Promise<Answer> {
    const { tenant, op: name, most, kind, ringNow, limits } = asked;
    const prefix = keys.tenant(tenant);
    try {
      return await run<Answer>("claim", prefix, name, most, kind, leaseMs, ringNow, limits);
    } catch (cause) {
      // After a refusal by Redis, nothing is stored.
      if (!isRefusal(cause)) unanswered.push(asked);
      throw cause;
    }
  }

  return {
    async take({ turns, room, request, limits, failures }) {
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
          const turn = { tenant, taken, before: before.get(tenant) ?? NONE_BEFORE };
          try {
            const [jobs, ready, alarm, moment, free, closed, held] = await ask(
              {
                tenant,
                op: op(),
                most: Math.min(count, MOST_PER_SCRIPT),
                kind,
                ringNow: now,
                limits: limits.forTenant(tenant, turns),
                till,
              },
              request,
            );
            found.set(
              tenant,
              jobs.map((job) => ({ tenant, job, till })),
            );
            return {
              ...turn,
              is: ready > 0 ? "ready" : "empty",
              given: kind === "due" ? 0 : jobs.length,
              moment,
              alarm,
              free,
              hasClosed: closed === 1,
              held,
              permits: usedOf(tenant, jobs, turns),
            };
          } catch (cause) {
            failures.push(cause);
            const nothing = {
              given: 0,
              moment: 0,
              alarm: "",
              free: [],
              hasClosed: false,
              held: [],
            };
            // The reservation is kept for the jobs that it may have taken.
            return { ...turn, ...nothing, is: "failed", permits: [] };
          }
        }),
      );
      const inOrder = kind === "due" ? Array.from(counts) : runs;
      const jobs = inOrder.flatMap(([tenant, count]) => found.get(tenant)?.splice(0, count) ?? []);
      return { jobs, ended };
    },
    again: (request) =>
      unanswered
        .splice(0)
        .filter((asked) => !isOver(asked))
        .map(async (asked) => {
          const [jobs] = await ask(asked, request);
          return jobs.map((job) => ({ tenant: asked.tenant, job, till: asked.till }));
        }),
  };
}

/** How a tenant's reservations ended, and its running jobs of counted kinds. */
function usedOf(
  tenant: string,
  jobs: readonly TakenJob[],
  { op, reserved, counted }: Turns,
): UsedPermits[] {
  if (reserved.length === 0 && counted.length === 0) return [];
  const used = new Map<string, UsedPermits>();
  const of = (kind: string): UsedPermits => {
    const known = used.get(kind) ?? [kind, 0, 0, op, 0, []];
    used.set(kind, known);
    return known;
  };
  for (const [owner, kind, count, mark] of reserved) {
    if (owner !== tenant) continue;
    const each = of(kind);
    [each[1], each[4]] = [count, mark];
  }
  for (const [jobId, , , , , , , permit, kind] of jobs) {
    const isReserved = used.has(kind);
    if (!isReserved && permit === "") continue;
    const each = of(kind);
    each[2] += 1;
    if (permit !== "") each[5].push(permitName(jobId, permit));
  }
  return [...used.values()];
}
