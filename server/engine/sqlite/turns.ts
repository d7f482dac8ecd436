/**
 * The turns of the tenants that have ready jobs, and the limits of kinds, as `claim` of `claiming.ts` defines them. All of it is
 * in memory: a start fills it from the jobs, and what a transaction changed in it is taken back with the transaction. So it
 * has no second truth on the disk, and a claim reads but the rows of the jobs that it gives.
 */
import type { DatabaseSync } from "node:sqlite";
import {
  afterStart,
  freeAt,
  type KeyLimits,
  type LimitsOfKinds,
} from "#server/engine/kind-limits.ts";
import type { ClaimRequest } from "#server/engine/contract.ts";
import type { PauseScope } from "#shared/pause.ts";
import { stepOf, type TenantWeights, turnAfter } from "#server/engine/turns.ts";
import { freeKinds, isBelow, isFree, nextTenant, rateIn } from "./free-kinds.ts";
import { createNextOf } from "./next-of-line.ts";
import {
  createLines,
  type Group,
  isBefore,
  type Kind,
  type Line,
  type Rank,
  type Tenant,
  type Waiter,
} from "./queue-lines.ts";
import { createUndoLog, type Remembered } from "./undo-log.ts";

/** A line, as columns of its jobs. */
export interface LineRef {
  tenantN: number;
  kind: string;
  key: string | null;
}

type Place = Omit<Waiter, keyof Rank>;
/** The part of a request of a claim on which turns depend. */
type Asked = Pick<ClaimRequest, "limits" | "wanted">;

export interface Turns extends Remembered {
  /** The job is ready. */
  add(job: Waiter): void;
  /** It was, and is no more. `job`: as it was then. */
  remove(job: Waiter): void;
  /** So many jobs are ready, as at a start. */
  addAll(of: Place, ready: number): void;
  /** The job runs. */
  hold(job: Place): void;
  /** It did, and does no more. Returns whether another one may start now that was held back. */
  release(job: Place): boolean;
  /**
   * Takes the turns of the next `max` jobs. Returns the line of each, in order, as the same object for each job of a line: its
   * first ones are meant. They run, and are ready no more.
   */
  take(max: number, asked: Asked, now: number): LineRef[];
  /** The jobs of the scope have no turns from now on. There need not be any. */
  pause(scope: PauseScope): void;
  /**
   * They have turns again. A tenant that had none enters as one that just got its jobs, so that the time of the pause earned
   * none. One whose kinds were paused kept its turn, as where limits hold its jobs back.
   */
  resume(scope: PauseScope): void;
  /** True if `take` would find one. Not within a transaction. */
  isDue(asked: Asked, now: number): boolean;
  /** When the next job may start that only waits for a rate, in ms, if that is later than `after`. By the limits of the newest claim. */
  nextStart(after: number): number | undefined;
  running(job: Place): { kind: number; key: number };
  /** Milliseconds until the rates let a job start. */
  rateInMs(
    job: Place,
    of: { kind: KeyLimits | undefined; key: KeyLimits | undefined },
    now: number,
  ): { kind: number; key: number };
}

/** There are no turns at first. */
export function createTurns(db: DatabaseSync, weights: TenantWeights): Turns {
  const lines = createLines();
  const undoLog = createUndoLog(lines.forgetEmpty);
  const newest = { turn: 0, part: 0 };
  const headOf = createNextOf(db);

  function toChange(line: Line): void {
    undoLog.before(line, rememberLine);
    undoLog.before(line.group.tenant, rememberTenant);
  }

  function rememberLine(line: Line): () => void {
    const { ready, running, until } = line;
    return () => {
      Object.assign(line, { ready, running, until, head: undefined, taken: undefined });
      lines.place(line);
    };
  }

  function rememberTenant(tenant: Tenant): () => void {
    const { turn, ready } = tenant;
    return () => {
      Object.assign(tenant, { turn, ready });
      lines.turned(tenant);
    };
  }

  function rememberNewest(): () => void {
    const { turn } = newest;
    return () => void (newest.turn = turn);
  }

  function setPaused(scope: PauseScope, isPaused: boolean): void {
    if (!lines.setPaused(scope, isPaused)) return;
    // Of this change alone, as a scope may change more than once.
    undoLog.before({ part: 0 }, () => () => void lines.setPaused(scope, !isPaused));
  }

  function join(tenant: Tenant, jobs: number): void {
    tenant.ready += jobs;
    if (tenant.turn === 0) tenant.turn = newest.turn + stepOf(weights, tenant.name);
  }

  function run(line: Line, jobs: 1 | -1): void {
    const { kind } = line.group;
    toChange(line);
    undoLog.before(kind, rememberKind);
    line.running += jobs;
    kind.running += jobs;
  }

  function meet(limits: LimitsOfKinds | undefined, now: number): void {
    for (const kind of lines.kinds.values()) lines.limit(kind, limits?.get(kind.name));
    lines.passTo(now);
  }

  /** Learns the first jobs of all open lines. */
  function rank({ unranked }: Group): void {
    for (const line of unranked) {
      line.head = headOf(line);
      lines.place(line);
    }
  }

  /** In which the tenant's next job is, of the kinds that are free. Those that are paused for it alone are not in turn. */
  function firstLine(tenant: Tenant, free: ReadonlySet<Kind>): Line {
    const groups = [...tenant.groups.values()].filter(
      (group) => free.has(group.kind) && group.kind.inTurn.has(group),
    );
    const [only] = groups;
    if (groups.length === 1 && only !== undefined) {
      const { open, unranked } = only;
      // Where there is but one, its first job need not be known. It stays the only one in this claim, as no line opens in it.
      if (open.size + unranked.size === 1) return (open.first() ?? [...unranked][0]) as Line;
    }
    for (const group of groups) rank(group);
    return groups
      .map(({ open }) => open.first() as Line)
      .reduce((one, other) => (isBefore(other.head as Rank, one.head as Rank) ? other : one));
  }

  function give(line: Line, now: number): void {
    const { kind, tenant } = line.group;
    run(line, 1);
    undoLog.before(newest, rememberNewest);
    line.taken = line.head;
    line.head = undefined;
    line.ready -= 1;
    const { limits } = kind;
    if (limits?.rate !== undefined) kind.until = afterStart(limits.rate, kind.until, now);
    const ofKey = line.key === null ? undefined : limits?.perKey?.rate;
    if (ofKey !== undefined) line.until = afterStart(ofKey, line.until, now);
    newest.turn = Math.max(newest.turn, tenant.turn);
    tenant.turn = turnAfter(tenant.turn, newest.turn, stepOf(weights, tenant.name));
    leave(tenant);
    lines.place(line);
    lines.turned(tenant);
  }

  return {
    savepoint: undoLog.savepoint,
    undoPart: undoLog.undoPart,
    undo: undoLog.undo,
    committed: undoLog.committed,
    add(job) {
      const line = lines.of(job);
      toChange(line);
      join(line.group.tenant, 1);
      line.ready += 1;
      if (line.ready === 1 || (line.head !== undefined && isBefore(job, line.head))) {
        line.head = { rank: job.rank, n: job.n };
      }
      lines.place(line);
    },
    remove(job) {
      const line = lines.of(job);
      toChange(line);
      line.ready -= 1;
      if (line.head?.n === job.n) line.head = undefined;
      leave(line.group.tenant);
      lines.place(line);
    },
    addAll(of, ready) {
      const line = lines.of(of);
      toChange(line);
      join(line.group.tenant, ready);
      line.ready += ready;
      lines.place(line);
      rank(line.group);
    },
    hold(job) {
      const line = lines.of(job);
      run(line, 1);
      lines.place(line);
    },
    release(job) {
      const line = lines.of(job);
      const { kind } = line.group;
      const { limits } = kind;
      const key = line.key === null ? undefined : limits?.perKey;
      const freesKey = !isBelow(key, line.running) && line.ready > 0;
      const freesKind = !isBelow(limits, kind.running) && (kind.inTurn.size > 0 || freesKey);
      run(line, -1);
      lines.place(line);
      return freesKey || freesKind;
    },
    take(max, { limits, wanted }, now) {
      meet(limits, now);
      const free = freeKinds(lines, wanted, now);
      const given: Line[] = [];
      while (given.length < max) {
        const tenant = nextTenant(lines, free, wanted);
        if (tenant === undefined) break;
        const line = firstLine(tenant, free);
        give(line, now);
        given.push(line);
        if (!isFree(line.group.kind, now)) free.delete(line.group.kind);
      }
      const refs = new Map(given.map((line) => [line, refOf(line)]));
      for (const line of refs.keys()) line.taken = undefined;
      return given.map((line) => refs.get(line) as LineRef);
    },
    pause: (scope) => setPaused(scope, true),
    resume(scope) {
      setPaused(scope, false);
      if (scope.tenant === undefined || scope.kind !== undefined) return;
      const tenant = lines.tenantOf(scope.tenant);
      if (tenant === undefined || tenant.ready === 0) return;
      undoLog.before(tenant, rememberTenant);
      tenant.turn = newest.turn + stepOf(weights, tenant.name);
      lines.turned(tenant);
    },
    isDue({ limits, wanted }, now) {
      meet(limits, now);
      lines.forgetEmpty();
      return nextTenant(lines, freeKinds(lines, wanted, now), wanted) !== undefined;
    },
    nextStart(after) {
      const times = [lines.opensNext()];
      for (const { limits, until, inTurn } of lines.kinds.values()) {
        if (limits?.rate !== undefined && inTurn.size > 0) times.push(freeAt(limits.rate, until));
      }
      const later = times.flatMap((time) => Math.ceil((time ?? 0) / 1000));
      const next = Math.min(...later.filter((time) => time > after));
      return Number.isFinite(next) ? next : undefined;
    },
    running(job) {
      const line = lines.find(job);
      return { kind: lines.kinds.get(job.kind)?.running ?? 0, key: line?.running ?? 0 };
    },
    rateInMs(job, of, now) {
      return {
        kind: rateIn(of.kind, lines.kinds.get(job.kind)?.until ?? 0, now),
        key: rateIn(of.key, lines.find(job)?.until ?? 0, now),
      };
    },
  };
}

function rememberKind(kind: Kind): () => void {
  const { running, until } = kind;
  return () => void Object.assign(kind, { running, until });
}

/** One of its ready jobs goes. */
function leave(tenant: Tenant): void {
  tenant.ready -= 1;
  if (tenant.ready === 0) tenant.turn = 0;
}

function refOf({ key, group: { tenant, kind } }: Line): LineRef {
  return { tenantN: tenant.n, kind: kind.name, key };
}
