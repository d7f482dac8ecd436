/**
 * A reference model of the order in which an engine gives out jobs: `claim` of `claiming.ts`, word for word and without an
 * index. Times are milliseconds of a clock of its own.
 */
import { stepOf, type TenantWeights } from "#server/engine/turns.ts";

type State =
  | { is: "ready" }
  | { is: "delayed"; until: number }
  | { is: "leased"; until: number; token: number }
  | { is: "settled" };

export interface QueuedJob {
  readonly id: string;
  readonly tenant: string;
  readonly priority: number;
  /** `rankOf` of when it was queued last, or of the end of its delay. */
  rank: number;
  state: State;
}

export interface QueueModel {
  /** In the order of their creation. */
  readonly jobs: readonly QueuedJob[];
  create(job: Pick<QueuedJob, "id" | "tenant" | "priority">, now: number): void;
  /** Queues it again. */
  queue(id: string, now: number, delayMs?: number): void;
  /** Queues it again with the rank that it had. */
  giveBack(id: string): void;
  settle(id: string): void;
  lease(id: string, token: number, until: number): void;
  /**
   * The answer of a claim: `ended` of the jobs whose lease is over, and then these. They have to be leased then. Turns are
   * taken.
   */
  claim(max: number, now: number): { ended: number; of: readonly string[]; ready: string[] };
  /** All leases end, and turns begin anew. */
  restart(): void;
}

export function createQueueModel(weights: TenantWeights): QueueModel {
  const jobs: QueuedJob[] = [];
  let turns = new Map<string, number>();
  let newest = 0;

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

  function nextTenant(): string | undefined {
    const inTurn = [...turns].toSorted(
      ([a, turn], [b, other]) => turn - other || Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    return inTurn[0]?.[0];
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
    claim(max, now) {
      for (const job of jobs) {
        if (job.state.is === "delayed" && job.state.until <= now) put(job, { is: "ready" });
      }
      const over = jobs.filter(({ state }) => state.is === "leased" && state.until <= now);
      const ended = Math.min(max, over.length);
      const ready: string[] = [];
      while (ended + ready.length < max) {
        const tenant = nextTenant();
        if (tenant === undefined) break;
        const turn = turns.get(tenant) ?? 0;
        newest = Math.max(newest, turn);
        turns.set(tenant, turn + stepOf(weights, tenant));
        // Sorting is stable: ties stay in the order of creation.
        const [first] = readyOf(tenant).toSorted((a, b) => a.rank - b.rank);
        if (first === undefined) throw new Error(`${tenant} has a turn, and no job.`);
        ready.push(first.id);
        put(first, { is: "leased", token: -1, until: Infinity });
      }
      return { ended, of: over.map(({ id }) => id), ready };
    },
    restart() {
      turns = new Map();
      newest = 0;
      for (const job of jobs) {
        if (job.state.is === "leased") job.state = { ...job.state, until: -Infinity };
        adjust(job.tenant);
      }
    },
  };
}
