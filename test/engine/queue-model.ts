/**
 * A reference model of the order in which an engine gives out jobs: `claim` of `claiming.ts`, word for word and without an
 * index. Times are milliseconds of a clock of its own.
 */
import {
  afterStart,
  type KeyLimits,
  type LimitsOfKinds,
  untilStart,
  type Waiting,
} from "#server/engine/kind-limits.ts";
import { isOfAll, isPausedBy, type PauseScope } from "#shared/pause.ts";
import { isWanted, type Wanted } from "#server/engine/wanted.ts";
import { stepOf, type TenantWeights, turnAfter } from "#server/engine/turns.ts";

type State =
  | { is: "ready" }
  | { is: "delayed"; until: number }
  | { is: "leased"; until: number; token: number }
  | { is: "settled" };

export interface QueuedJob {
  readonly id: string;
  tenant: string;
  readonly kind: string;
  readonly key: string | undefined;
  readonly priority: number;
  /** `rankOf` of when it was queued last, or of the end of its delay. */
  rank: number;
  state: State;
}

export interface QueueModel {
  /** In the order of their creation. */
  readonly jobs: readonly QueuedJob[];
  create(job: Omit<QueuedJob, "rank" | "state">, now: number): void;
  /** Queues it again. */
  queue(id: string, now: number, delayMs?: number): void;
  /** Queues it again with the rank that it had. */
  giveBack(id: string): void;
  settle(id: string): void;
  lease(id: string, token: number, until: number): void;
  /** Gives all jobs of a tenant to another one. */
  assign(from: string, to: string): void;
  /**
   * The answer of a claim: `ended` of the jobs whose lease is over, and then these. They have to be leased then. Turns are
   * taken.
   */
  claim(
    max: number,
    now: number,
    limits: LimitsOfKinds,
    wanted: Wanted,
  ): { ended: number; of: readonly string[]; ready: string[] };
  waiting(id: string, now: number, limits: LimitsOfKinds): Waiting | undefined;
  /** Those that are set. */
  readonly pauses: readonly PauseScope[];
  pause(scope: PauseScope): void;
  resume(scope: PauseScope): void;
  /** All leases end, turns begin anew, and starts are forgotten. */
  restart(): void;
}

function isSameScope(one: PauseScope, other: PauseScope): boolean {
  return one.tenant === other.tenant && one.kind === other.kind;
}

export function createQueueModel(weights: TenantWeights): QueueModel {
  const jobs: QueuedJob[] = [];
  let pauses: PauseScope[] = [];
  let turns = new Map<string, number>();
  let newest = 0;
  /** Of rates: by kind, and by tenant, kind and key. */
  let starts = new Map<string, number>();

  const isReady = ({ state }: QueuedJob) => state.is === "ready";
  const readyOf = (tenant: string) => jobs.filter((job) => job.tenant === tenant && isReady(job));

  function find(id: string): QueuedJob {
    const found = jobs.find((job) => job.id === id);
    if (found === undefined) throw new Error(`The model has no job ${id}.`);
    return found;
  }

  /** Every tenant with ready jobs has a turn, and no other. */
  function adjust(tenant: string): void {
    if (readyOf(tenant).length === 0) turns.delete(tenant);
    else if (!turns.has(tenant)) turns.set(tenant, newest + stepOf(weights, tenant));
  }

  function put(job: QueuedJob, state: State): void {
    job.state = state;
    adjust(job.tenant);
  }

  function inTurn(): string[] {
    const sorted = [...turns].toSorted(
      ([a, turn], [b, other]) => turn - other || Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    return sorted.map(([tenant]) => tenant);
  }

  const ofKind = (job: QueuedJob) => (other: QueuedJob) => other.kind === job.kind;
  const ofKey = (job: QueuedJob) => (other: QueuedJob) =>
    other.kind === job.kind && other.tenant === job.tenant && other.key === job.key;
  const nameOfKey = ({ tenant, kind, key }: QueuedJob) => JSON.stringify([tenant, kind, key]);

  /** The limits that concern the job: which jobs they count, and under which name the starts of those. */
  function limitsOf(job: QueuedJob, limits: LimitsOfKinds) {
    const of = limits.get(job.kind);
    const all: { limit: KeyLimits; counts: (other: QueuedJob) => boolean; name: string }[] = [];
    if (of !== undefined) all.push({ limit: of, counts: ofKind(job), name: job.kind });
    if (of?.perKey !== undefined && job.key !== undefined) {
      all.push({ limit: of.perKey, counts: ofKey(job), name: nameOfKey(job) });
    }
    return all;
  }

  const running = (counts: (other: QueuedJob) => boolean) =>
    jobs.filter((job) => job.state.is === "leased" && counts(job)).length;

  function isHeldBack(job: QueuedJob, now: number, limits: LimitsOfKinds): boolean {
    return limitsOf(job, limits).some(
      ({ limit: { concurrency = Infinity, rate }, counts, name }) =>
        running(counts) >= concurrency ||
        (rate !== undefined && untilStart(rate, starts.get(name) ?? 0, now) > 0),
    );
  }

  const isPaused = (job: QueuedJob) => pauses.some((pause) => isPausedBy(pause, job));

  /** Of the tenant with the smallest turn among those that have one. */
  function nextReady(now: number, limits: LimitsOfKinds, wanted: Wanted): QueuedJob | undefined {
    for (const tenant of inTurn()) {
      const free = readyOf(tenant).filter(
        (job) => isWanted(wanted, job) && !isPaused(job) && !isHeldBack(job, now, limits),
      );
      // Sorting is stable: ties stay in the order of creation.
      const [first] = free.toSorted((a, b) => a.rank - b.rank);
      if (first !== undefined) return first;
    }
    return undefined;
  }

  return {
    jobs,
    create(job, now) {
      const fresh: QueuedJob = { ...job, rank: 0, state: { is: "settled" } };
      jobs.push(fresh);
      this.queue(job.id, now);
    },
    queue(id, now, delayMs = 0) {
      const job = find(id);
      const until = now + delayMs;
      job.rank = until - job.priority * 600_000;
      put(job, delayMs === 0 ? { is: "ready" } : { is: "delayed", until });
    },
    giveBack: (id) => put(find(id), { is: "ready" }),
    settle: (id) => put(find(id), { is: "settled" }),
    lease: (id, token, until) => put(find(id), { is: "leased", token, until }),
    assign(from, to) {
      for (const job of jobs.filter(({ tenant }) => tenant === from)) {
        job.tenant = to;
        adjust(from);
        adjust(to);
      }
    },
    get pauses() {
      return pauses;
    },
    pause(scope) {
      if (!pauses.some((each) => isSameScope(each, scope))) pauses = [...pauses, scope];
    },
    resume(scope) {
      pauses = pauses.filter((each) => !isSameScope(each, scope));
      const { tenant, kind } = scope;
      if (tenant === undefined || kind !== undefined) return;
      // It enters as one that just got its jobs.
      turns.delete(tenant);
      adjust(tenant);
    },
    claim(max, now, limits, wanted) {
      if (pauses.some(isOfAll)) return { ended: 0, of: [], ready: [] };
      for (const job of jobs) {
        if (job.state.is === "delayed" && job.state.until <= now) put(job, { is: "ready" });
      }
      const over = jobs.filter(
        (job) => job.state.is === "leased" && job.state.until <= now && !isPaused(job),
      );
      const ended = Math.min(max, over.length);
      const ready: string[] = [];
      while (ended + ready.length < max) {
        const next = nextReady(now, limits, wanted);
        if (next === undefined) break;
        const { tenant } = next;
        const turn = turns.get(tenant) ?? 0;
        newest = Math.max(newest, turn);
        turns.set(tenant, turnAfter(turn, newest, stepOf(weights, tenant)));
        for (const { limit, name } of limitsOf(next, limits)) {
          if (limit.rate === undefined) continue;
          starts.set(name, afterStart(limit.rate, starts.get(name) ?? 0, now));
        }
        ready.push(next.id);
        put(next, { is: "leased", token: -1, until: Infinity });
      }
      return { ended, of: over.map(({ id }) => id), ready };
    },
    waiting(id, now, limits) {
      const job = find(id);
      const { state, key } = job;
      if (state.is === "leased" || state.is === "settled") return undefined;
      const line = readyOf(job.tenant).filter(ofKey(job));
      const before = line.toSorted((a, b) => a.rank - b.rank).indexOf(job);
      const of = limits.get(job.kind);
      const until = (limit: KeyLimits | undefined, name: string) =>
        limit?.rate === undefined ? 0 : untilStart(limit.rate, starts.get(name) ?? 0, now);
      return {
        key: key ?? null,
        startsInMs: state.is === "delayed" ? Math.max(0, state.until - now) : null,
        ahead: Math.max(0, before),
        running: {
          kind: running(ofKind(job)),
          key: key === undefined ? null : running(ofKey(job)),
        },
        rateInMs: {
          kind: until(of, job.kind),
          key: key === undefined ? null : until(of?.perKey, nameOfKey(job)),
        },
      };
    },
    restart() {
      turns = new Map();
      newest = 0;
      starts = new Map();
      for (const job of jobs) {
        if (job.state.is === "leased") job.state = { ...job.state, until: -Infinity };
        adjust(job.tenant);
      }
    },
  };
}
