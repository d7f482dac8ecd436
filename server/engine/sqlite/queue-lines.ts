/**
 * The lines in which jobs wait: one for each tenant, kind and key that has ready or running jobs, in memory. A line is open
 * while it has ready jobs and the limits of its key let one start. The limits of a kind concern no line: they close all of
 * the kind at once.
 *
 *   kind ──► groups, by the turn of their tenant: those that have an open line
 *              group (tenant and kind) ──► open lines, by their first job
 */
import { freeAt, type KindLimits, type StartsUntil } from "#server/engine/kind-limits.ts";
import type { PauseScope } from "#shared/pause.ts";
import { Heap, OUTSIDE } from "./heap.ts";
import { createPausedScopes } from "./paused-scopes.ts";
import type { Undoable } from "./undo-log.ts";

/** The order of a tenant's ready jobs. */
export interface Rank {
  rank: number;
  n: number;
}

/** The columns of a job that say where it waits. */
export interface Waiter extends Rank {
  tenant_n: number;
  tenant: string;
  kind: string;
  key: string | null;
}

export interface Tenant extends Undoable {
  readonly n: number;
  readonly name: string;
  /** Of its name: the order of tenants with the same turn. */
  readonly bytes: Buffer;
  /** 0: it has none, as it has no ready jobs. */
  turn: number;
  ready: number;
  readonly groups: Map<Kind, Group>;
}

export interface Kind extends Undoable {
  readonly name: string;
  running: number;
  until: StartsUntil;
  /** Of the newest claim. */
  limits: KindLimits | undefined;
  readonly groups: Map<number, Group>;
  readonly inTurn: Heap<"atTurn", Group>;
}

export interface Group {
  readonly tenant: Tenant;
  readonly kind: Kind;
  readonly lines: Map<string | null, Line>;
  readonly open: Heap<"atOpen", Line>;
  /** Open lines whose first job is not known. */
  readonly unranked: Set<Line>;
  atTurn: number;
}

export interface Line extends Undoable {
  readonly group: Group;
  readonly key: string | null;
  ready: number;
  running: number;
  until: StartsUntil;
  /** Its first ready job. `undefined`: not known. */
  head: Rank | undefined;
  /** The last job that the claim that is being made took from it. */
  taken: Rank | undefined;
  /** When its rate lets the next job start, in microseconds. */
  opensAt: number;
  atOpen: number;
  atOpening: number;
  atFading: number;
}

export interface Lines {
  readonly kinds: ReadonlyMap<string, Kind>;
  /** Makes it where it is missing. */
  of(job: Omit<Waiter, keyof Rank>): Line;
  find(job: Omit<Waiter, keyof Rank>): Line | undefined;
  /** By its name. `undefined`: it has no line. */
  tenantOf(name: string): Tenant | undefined;
  /** After any change of the line: opens or closes it. */
  place(line: Line): void;
  /** After the turn of the tenant changed. */
  turned(tenant: Tenant): void;
  /** Pauses the scope, or ends that: no kind has its groups, and its lines are as otherwise. Returns whether that is new. */
  setPaused(scope: PauseScope, isPaused: boolean): boolean;
  /** The limits of a kind are these from now on. */
  limit(kind: Kind, limits: KindLimits | undefined): void;
  /** Opens the lines whose rate lets a job start at that time, in ms, which never goes back. */
  passTo(now: number): void;
  /** When the first line opens that only waits for its rate, in microseconds. */
  opensNext(): number | undefined;
  /** Forgets lines that hold nothing. Not within a transaction: it may be taken back. */
  forgetEmpty(): void;
}

export function isBefore(one: Rank, other: Rank): boolean {
  return one.rank < other.rank || (one.rank === other.rank && one.n < other.n);
}

/** By their turns, ties by name, in UTF-8. */
export function isTurnBefore(one: Tenant, other: Tenant): boolean {
  return (
    one.turn < other.turn || (one.turn === other.turn && Buffer.compare(one.bytes, other.bytes) < 0)
  );
}

function hasOpen(group: Group): boolean {
  return group.open.size + group.unranked.size > 0;
}

export function createLines(): Lines {
  const kinds = new Map<string, Kind>();
  const tenants = new Map<number, Tenant>();
  const byName = new Map<string, Tenant>();
  /** Lines with ready jobs whose rate lets none start yet. */
  const opening = new Heap<"atOpening", Line>(
    "atOpening",
    (one, other) => one.opensAt < other.opensAt,
  );
  /** Other lines whose rate remembers starts. */
  const fading = new Heap<"atFading", Line>("atFading", (one, other) => one.until < other.until);
  const empty = new Set<Line>();
  const paused = createPausedScopes();
  /** Microseconds. */
  let time = 0;

  function kindOf(name: string): Kind {
    return getOrMake(kinds, name, () => ({
      name,
      running: 0,
      until: 0,
      limits: undefined,
      groups: new Map(),
      inTurn: new Heap("atTurn", (one, other) => isTurnBefore(one.tenant, other.tenant)),
      part: 0,
    }));
  }

  function tenantOf(n: number, name: string): Tenant {
    return getOrMake(tenants, n, () => {
      const tenant = {
        n,
        name,
        bytes: Buffer.from(name),
        turn: 0,
        ready: 0,
        groups: new Map(),
        part: 0,
      };
      byName.set(name, tenant);
      return tenant;
    });
  }

  function groupOf(kind: Kind, { tenant_n: n, tenant: name }: Omit<Waiter, keyof Rank>): Group {
    return getOrMake(kind.groups, n, () => {
      const tenant = tenantOf(n, name);
      const group: Group = {
        tenant,
        kind,
        lines: new Map(),
        open: new Heap("atOpen", isHeadBefore),
        unranked: new Set(),
        atTurn: OUTSIDE,
      };
      tenant.groups.set(kind, group);
      return group;
    });
  }

  function place(line: Line): void {
    const { group, ready } = line;
    const limits = line.key === null ? undefined : group.kind.limits?.perKey;
    line.opensAt = limits?.rate === undefined ? 0 : freeAt(limits.rate, line.until);
    const waitsForRate = line.opensAt > time;
    if (waitsForRate && ready > 0) opening.put(line);
    else opening.remove(line);
    if (line.until > time && !opening.has(line)) fading.put(line);
    else fading.remove(line);
    const isOpen =
      ready > 0 &&
      !waitsForRate &&
      line.running < (limits?.concurrency ?? Number.POSITIVE_INFINITY);
    if (isOpen && line.head !== undefined) group.open.put(line);
    else group.open.remove(line);
    if (isOpen && line.head === undefined) group.unranked.add(line);
    else group.unranked.delete(line);
    enter(group);
    if (isEmpty(line)) empty.add(line);
  }

  /** Where it belongs among the groups of its kind, if it does. */
  function enter(group: Group): void {
    const { inTurn, name } = group.kind;
    if (hasOpen(group) && !paused.has(group.tenant.name, name)) inTurn.put(group);
    else inTurn.remove(group);
  }

  /** The groups that a pause concerns. */
  function groupsOf({ tenant: name, kind: of }: PauseScope): Iterable<Group> {
    const kind = of === undefined ? undefined : kinds.get(of);
    if (name === undefined) return kind?.groups.values() ?? [];
    const tenant = byName.get(name);
    if (of === undefined) return tenant?.groups.values() ?? [];
    const group = kind && tenant?.groups.get(kind);
    return group === undefined ? [] : [group];
  }

  function isEmpty({ ready, running, until }: Line): boolean {
    return ready === 0 && running === 0 && until <= time;
  }

  function forget({ group, key }: Line): void {
    const { kind, tenant, lines } = group;
    lines.delete(key);
    if (lines.size > 0) return;
    kind.groups.delete(tenant.n);
    tenant.groups.delete(kind);
    if (tenant.groups.size > 0) return;
    tenants.delete(tenant.n);
    byName.delete(tenant.name);
  }

  return {
    kinds,
    of(job) {
      const group = groupOf(kindOf(job.kind), job);
      return getOrMake(group.lines, job.key, () => newLine(group, job.key));
    },
    find: ({ kind, tenant_n: n, key }) => kinds.get(kind)?.groups.get(n)?.lines.get(key),
    tenantOf: (name) => byName.get(name),
    place,
    turned({ groups }) {
      for (const group of groups.values()) enter(group);
    },
    setPaused(scope, isPaused) {
      if (!paused.set(scope, isPaused)) return false;
      for (const group of groupsOf(scope)) enter(group);
      return true;
    },
    limit(kind, limits) {
      const isSame = isSameKeyLimits(kind.limits?.perKey, limits?.perKey);
      kind.limits = limits;
      if (isSame) return;
      for (const { lines } of kind.groups.values()) for (const line of lines.values()) place(line);
    },
    passTo(now) {
      time = Math.max(time, Math.round(now * 1000));
      for (let line; (line = opening.first()) !== undefined && line.opensAt <= time;) place(line);
      for (let line; (line = fading.first()) !== undefined && line.until <= time;) place(line);
    },
    opensNext: () => opening.first()?.opensAt,
    forgetEmpty() {
      for (const line of empty) if (isEmpty(line)) forget(line);
      empty.clear();
    },
  };
}

function newLine(group: Group, key: string | null): Line {
  return {
    group,
    key,
    ready: 0,
    running: 0,
    until: 0,
    head: undefined,
    taken: undefined,
    opensAt: 0,
    atOpen: OUTSIDE,
    atOpening: OUTSIDE,
    atFading: OUTSIDE,
    part: 0,
  };
}

/** Both have one. */
function isHeadBefore(one: Line, other: Line): boolean {
  return isBefore(one.head as Rank, other.head as Rank);
}

function isSameKeyLimits(one: KindLimits["perKey"], other: KindLimits["perKey"]): boolean {
  return (
    one?.concurrency === other?.concurrency &&
    one?.rate?.limit === other?.rate?.limit &&
    one?.rate?.perMs === other?.rate?.perMs
  );
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = make()));
  return found;
}
