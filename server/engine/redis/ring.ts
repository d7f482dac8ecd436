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
  /** Absent: only `alarm` is news. */
  is?: "ready" | "empty";
  moment?: number;
  /** No delay of its jobs ends, and no lease, before this time in ms. */
  alarm?: number | string;
}

/** How a claim of a tenant's jobs ended. */
export interface Ended {
  tenant: string;
  is: "ready" | "empty" | "failed";
  /** The turns that were taken for it. */
  taken: number;
  given: number;
  /** Its turn before. */
  turn: string;
  moment: number;
  alarm: string;
}

export interface Turns {
  /** Tenants whose alarm is due. There are no turns then. */
  due: string[];
  /** The ring's time in ms. */
  now: number;
  /** Tenants and their numbers of turns, in their order. */
  runs: [tenant: string, count: number][];
  /** The turn of each tenant before. */
  before: ReadonlyMap<string, string>;
}

export interface Ring {
  /** Tells what was stored. A failure is a warning: the sweep tells it again. */
  tell(news: readonly News[]): Promise<void>;
  /** Ends claims, and takes the next turns: `room` at most. */
  turn(ended: readonly Ended[], room: number): Promise<Turns>;
  /** Writes the weights of tenants. */
  writeWeights(): Promise<void>;
  /** Calls `listener` when there may be work. */
  onWork(listener: () => void): () => void;
  close(): void;
}

type Answer = [next: number, now: number, due: string[], runs: string[], before: string[]];

/** Longer delays make Node's timers fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** Bounds the time for which one script keeps Redis. */
const NEWS_PER_SCRIPT = 500;

interface RingOptions {
  run: RunScript;
  keys: Keys;
  hints: Pick<RedisHints, "onWork">;
  weights: TenantWeights;
}

export function openRing({ run, keys, hints, weights }: RingOptions): Ring {
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

  async function send(
    room: number,
    ended: readonly Ended[],
    news: readonly News[],
  ): Promise<Answer> {
    const answer = await run<Answer>(
      "turns",
      keys.ring,
      room,
      wholeTurn,
      ended.length,
      ended.flatMap((each) => [
        each.tenant,
        `${each.taken}`,
        `${each.given}`,
        each.turn,
        `${each.moment}`,
        each.alarm,
        each.is,
      ]),
      news.flatMap(({ tenant, moment = 0, alarm = "", is = "" }) => [
        tenant,
        `${moment}`,
        `${alarm}`,
        is,
      ]),
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
        await send(0, [], news.slice(at, at + NEWS_PER_SCRIPT));
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
    async turn(ended, room) {
      const [, now, due, runs, before] = await send(room, ended, []);
      return {
        due,
        now,
        runs: inPairs(runs).map(([tenant, count]) => [tenant, Number(count)]),
        before: new Map(inPairs(before)),
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
