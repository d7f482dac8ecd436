/**
 * The ring of turns (`turns.lua`): which tenants have work, and whose turn is next. The queue itself is part of each tenant's
 * records; the ring only says where to look, so that a claim need not ask every tenant. Processes tell it what changed after
 * they stored it. What a process that died did not tell, or Redis lost, the sweep tells again (`sweep.ts`).
 */
import { notify } from "#server/engine/notify.ts";
import { stepOf, type TenantWeights } from "#server/engine/turns.ts";
import { asAppError } from "./errors.ts";
import type { RedisHints } from "./hints.ts";
import type { Keys } from "./keys.ts";
import { inPairs } from "./records.ts";
import type { RunScript } from "./scripts.ts";

/** The state of a tenant's ready jobs at a moment, in microseconds of its node's clock, as its scripts say it. */
export interface News {
  tenant: string;
  /** Absent: this is no news. */
  is?: "ready" | "empty";
  moment?: number;
  /** Kinds of which it has jobs that its lines do not hold back. */
  free?: readonly string[];
  /** Kinds of which it has none. "*": all others. */
  none?: readonly string[] | "*";
  /** No delay of its jobs ends, no lease, and no time of a rate, before this time in ms. */
  alarm?: number | string;
  /** Of a job that ended. */
  permit?: { kind: string; name: string };
}

/** How a claim of a tenant's jobs ended. */
export interface Ended {
  tenant: string;
  is: "ready" | "empty" | "failed";
  /** The turns that were taken for it. */
  taken: number;
  given: number;
  before: Before;
  moment: number;
  alarm: string;
  /** As in `News`; of all others it has none. */
  free: readonly string[];
  hasClosed: boolean;
  /** Paused kinds with jobs whose lease ended. */
  held: readonly string[];
  permits: readonly UsedPermits[];
}

/** A turn, and what was added to it when turns were taken. */
export interface Before {
  turn: string;
  added: string;
}

/** How a claim used the reservation of a kind for a tenant. */
export type UsedPermits = [
  kind: string,
  reserved: number,
  used: number,
  op: string,
  mark: number,
  /** Names of permits, where the running jobs of the kind are counted. */
  permits: string[],
];

/** Jobs of a kind with limits of all tenants that a tenant may give. `mark` goes back to the ring. */
export type Reserved = [tenant: string, kind: string, count: number, mark: number];

export interface Turns {
  /** Under which these were taken. */
  op: string;
  /** Tenants whose alarm is due. There are no turns then. */
  due: string[];
  /** The ring's time in ms. */
  now: number;
  /** Tenants and their numbers of turns, in their order. */
  runs: [tenant: string, count: number][];
  /** The turn of each tenant before. */
  before: ReadonlyMap<string, Before>;
  reserved: readonly Reserved[];
  /** Kinds whose running jobs are counted. */
  counted: readonly string[];
  /** Those of kinds that are to be counted before one is given. There are no turns then. */
  uncounted: readonly string[];
  /** The paused kinds of these tenants, and those of all with "". */
  paused: ReadonlyMap<string, readonly string[]>;
}

export interface Ring {
  /** Tells what was stored. A failure is a warning: the sweep tells it again. */
  tell(news: readonly News[]): Promise<void>;
  /** Ends claims, and takes the next turns: `room` at most. `limits` as `turns.lua` takes them. */
  turn(ended: readonly Ended[], room: number, limits: string): Promise<Turns>;
  /** Writes the weights of tenants. */
  writeWeights(): Promise<void>;
  /** Calls `listener` when there may be work. */
  onWork(listener: () => void): () => void;
  close(): void;
}

type Answer = [
  next: number,
  now: number,
  due: string[],
  runs: string[],
  before: string[],
  reserved: Reserved[],
  counted: string[],
  uncounted: string[],
  paused: string[],
];
/** A call of `turns.lua`. */
interface Call {
  room: number;
  ended: readonly Ended[];
  news: readonly News[];
  op: string;
  limits: string;
}

/** Longer delays make Node's timers fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** Bounds the time for which one script keeps Redis. */
const NEWS_PER_SCRIPT = 500;

interface RingOptions {
  run: RunScript;
  keys: Keys;
  hints: Pick<RedisHints, "onWork">;
  weights: TenantWeights;
  /** Returns a new idempotency key for a call. */
  op: () => string;
}

export function openRing({ run, keys, hints, weights, op }: RingOptions): Ring {
  const wholeTurn = stepOf(new Map(), "");
  const listeners = new Set<() => void>();
  /** Ends the subscription to hints. */
  let unlisten: Promise<() => void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let open = true;
  /** News of this tick. */
  let pending: News[] = [];
  let telling: Promise<void> | undefined;

  const wake = (): void => notify(listeners, undefined);

  /** `next`: ms until the next alarm, or -1. */
  function arm(next: number): void {
    clearTimeout(timer);
    if (next >= 0 && open) timer = setTimeout(wake, Math.min(next + 1, MAX_TIMEOUT_MS)).unref();
  }

  async function send({ room, ended, news, op: name, limits }: Call): Promise<Answer> {
    const answer = await run<Answer>(
      "turns",
      keys.ring,
      room,
      wholeTurn,
      name,
      limits,
      ended.length,
      ended.flatMap(rowOfEnded),
      news.flatMap(rowOfNews),
    );
    arm(answer[0]);
    return answer;
  }

  async function tellAll(): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    const news = pending;
    pending = [];
    telling = undefined;
    try {
      for (let at = 0; at < news.length; at += NEWS_PER_SCRIPT) {
        const part = news.slice(at, at + NEWS_PER_SCRIPT);
        await send({ room: 0, ended: [], news: part, op: "", limits: "" });
      }
    } catch (cause) {
      process.emitWarning(asAppError(cause, "Redis"));
    }
  }

  return {
    async tell(news) {
      if (news.length === 0) return;
      pending.push(...news);
      telling ??= tellAll();
      await telling;
    },
    async turn(ended, room, limits) {
      const name = op();
      const [, now, due, runs, before, reserved, counted, uncounted, paused] = await send({
        room,
        ended,
        news: [],
        op: name,
        limits,
      });
      return {
        op: name,
        due,
        now,
        runs: inPairs(runs).map(([tenant, count]) => [tenant, Number(count)]),
        before: beforeOf(before),
        reserved,
        counted,
        uncounted,
        paused: new Map(
          inPairs(paused).map(([tenant, kinds]) => [
            tenant,
            Object.keys(JSON.parse(kinds) as object),
          ]),
        ),
      };
    },
    async writeWeights() {
      const steps = Array.from(weights.keys(), (tenant) => [tenant, `${stepOf(weights, tenant)}`]);
      await run("set-steps", keys.ring, steps.flat());
    },
    onWork(listener) {
      const registered = (): void => listener();
      listeners.add(registered);
      unlisten ??= hints.onWork(wake);
      unlisten
        // News from before it listened.
        .then(() => listeners.has(registered) && listener())
        .catch(() => {
          // The next listener tries again; until then runners look by themselves.
          unlisten = undefined;
        });
      return () => void listeners.delete(registered);
    },
    close() {
      open = false;
      clearTimeout(timer);
      listeners.clear();
    },
  };
}

/** Kinds have no line breaks. */
function inLines(kinds: readonly string[]): string {
  return kinds.join("\n");
}

function rowOfEnded(ended: Ended): string[] {
  const { tenant, taken, given, before, moment, alarm, is, free, hasClosed, held, permits } = ended;
  return [
    tenant,
    `${taken}`,
    `${given}`,
    before.turn,
    before.added,
    `${moment}`,
    alarm,
    is,
    inLines(free),
    hasClosed ? "1" : "0",
    inLines(held),
    permits.length === 0 ? "" : JSON.stringify(permits),
  ];
}

function rowOfNews(news: News): string[] {
  const { tenant, moment = 0, alarm = "", is = "", free = [], none = [], permit } = news;
  return [
    tenant,
    `${moment}`,
    `${alarm}`,
    is,
    inLines(free),
    none === "*" ? none : inLines(none),
    permit === undefined ? "" : inLines([permit.kind, permit.name]),
  ];
}

/** Takes tenants, turns and what was added to these, in turn. */
function beforeOf(flat: readonly string[]): Map<string, Before> {
  const before = new Map<string, Before>();
  for (let index = 0; index < flat.length; index += 3) {
    const [tenant = "", turn = "", added = ""] = flat.slice(index, index + 3);
    before.set(tenant, { turn, added });
  }
  return before;
}
