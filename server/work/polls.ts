/**
 * Calls for work that wait for jobs. Those that want the same wait in one line, and one claim serves a line: so what a hint costs grows
 * with the lines, not with the workers. The first in a line are served first.
 */
import type { Claim, ClaimRequest, Engine, Wanted } from "#server/engine/contract.ts";
import type { Clock } from "#shared/clock.ts";
import { AppError } from "#shared/errors.ts";
import { MAX_WAITING_WORKERS, MAX_WORK_JOBS } from "#shared/work.ts";

export interface Asked {
  wanted: Wanted;
  max: number;
  leaseMs: number;
  waitMs: number;
  /** The caller has left. */
  left: AbortSignal;
}

export interface Polls {
  /**
   * Resolves to jobs that the caller wants, or to none after `waitMs`, at a stop, and when the caller has left. Rejects with
   * `RATE_LIMITED` where too many wait, with `UNAVAILABLE` after a stop, and as a claim does.
   */
  wait(asked: Asked): Promise<Claim[]>;
  waiting(): number;
  /** All that wait get no jobs. Resolves once what was being claimed is given back. */
  stop(): Promise<void>;
}

interface PollsOptions {
  engine: Pick<Engine, "claim" | "onWork">;
  request: Pick<ClaimRequest, "worker" | "limits" | "start">;
  clock: Pick<Clock, "now" | "after" | "every" | "hold">;
  /** Claims that are for none that waits: of jobs that lost their runner, that are not wanted, or whose caller has left. */
  putBack: (claim: Claim) => Promise<void>;
  isWanted: (wanted: Wanted, claim: Claim) => boolean;
}

interface Waiting extends Pick<Asked, "max"> {
  answer(claims: Claim[]): void;
  refuse(error: unknown): void;
}

interface Line extends Pick<Asked, "wanted" | "leaseMs"> {
  readonly name: string;
  readonly waiting: Set<Waiting>;
  looking: Promise<void> | undefined;
  lookAgain: boolean;
}

/** Also without hints, which may be lost. */
const LOOK_EVERY_MS = 2000;
const RETRY_MS = 5000;

export function openPolls({ engine, request, clock, putBack, isWanted }: PollsOptions): Polls {
  const lines = new Map<string, Line>();
  let unlisten: (() => void) | undefined;
  let waiting = 0;
  let open = true;

  function lineOf({ wanted, leaseMs }: Asked): Line {
    const { only = new Set<string>(), tenant = null } = wanted;
    const name = JSON.stringify([tenant, leaseMs, ...[...only].toSorted()]);
    const known = lines.get(name);
    if (known !== undefined) return known;
    const line: Line = {
      name,
      wanted,
      leaseMs,
      waiting: new Set(),
      looking: undefined,
      lookAgain: false,
    };
    lines.set(name, line);
    return line;
  }

  function forgetIdle(line: Line): void {
    if (line.waiting.size === 0 && line.looking === undefined) lines.delete(line.name);
  }

  function lookAll(): void {
    for (const line of lines.values()) look(line);
  }

  function look(line: Line): void {
    line.lookAgain = line.looking !== undefined;
    if (line.looking !== undefined) return;
    line.looking = serve(line).finally(() => {
      line.looking = undefined;
      if (line.lookAgain && line.waiting.size > 0) look(line);
      forgetIdle(line);
    });
    clock.hold(line.looking);
  }

  async function serve(line: Line): Promise<void> {
    // So that calls of the same moment share a claim.
    await Promise.resolve();
    const { wanted, leaseMs } = line;
    const max = Math.min(MAX_WORK_JOBS, roomOf(line));
    if (max === 0) return;
    try {
      const claims = await engine.claim({ ...request, max, leaseMs, now: clock.now(), wanted });
      const good = claims.filter((claim) => isWanted(wanted, claim));
      const others = new Set(claims).difference(new Set(good));
      // They took room, or there may be more than one claim gives.
      if (others.size > 0 || claims.length === max) line.lookAgain = true;
      hand(line, good);
      await Promise.all([...others, ...good].map(putBack));
    } catch (error) {
      for (const each of line.waiting) each.refuse(error);
    }
  }

  /** Leaves in `claims` those that are for none. */
  function hand(line: Line, claims: Claim[]): void {
    for (const each of line.waiting) {
      if (claims.length === 0) return;
      each.answer(claims.splice(0, each.max));
    }
  }

  function listen(): void {
    if (unlisten !== undefined) return;
    const leave = engine.onWork(lookAll);
    const stopLooking = clock.every(LOOK_EVERY_MS, () => clock.hold(Promise.resolve(lookAll())));
    unlisten = () => {
      leave();
      stopLooking();
    };
  }

  function wait(asked: Asked): Promise<Claim[]> {
    if (!open) throw new AppError("UNAVAILABLE", "The server is stopping. Ask again in a moment.");
    if (waiting >= MAX_WAITING_WORKERS) {
      const text = `${MAX_WAITING_WORKERS} workers wait for jobs at this server, which is the limit (MAX_WAITING_WORKERS). Try again in ${RETRY_MS / 1000} s.`;
      throw new AppError("RATE_LIMITED", text, { retryAfterMs: RETRY_MS });
    }
    const line = lineOf(asked);
    const { promise, resolve, reject } = Promise.withResolvers<Claim[]>();
    const end = (settle: () => void) => {
      if (!line.waiting.delete(each)) return;
      waiting -= 1;
      stopTime();
      asked.left.removeEventListener("abort", leave);
      if (waiting === 0) {
        unlisten?.();
        unlisten = undefined;
      }
      forgetIdle(line);
      settle();
    };
    const each: Waiting = {
      max: asked.max,
      answer: (claims) => end(() => resolve(claims)),
      refuse: (error) => end(() => reject(error)),
    };
    const leave = () => each.answer([]);
    line.waiting.add(each);
    waiting += 1;
    asked.left.addEventListener("abort", leave, { once: true });
    listen();
    look(line);
    const stopTime = clock.after(asked.waitMs, () => void whenIdle(line).then(leave));
    if (asked.left.aborted) leave();
    return promise;
  }

  return {
    wait: async (asked) => wait(asked),
    waiting: () => waiting,
    async stop() {
      open = false;
      const looking = Array.from(lines.values(), whenIdle);
      for (const line of lines.values()) for (const each of line.waiting) each.answer([]);
      await Promise.all(looking);
    },
  };
}

/** A caller that does not wait gets what the claim finds that it is part of. */
async function whenIdle(line: Line): Promise<void> {
  while (line.looking !== undefined) await line.looking;
}

function roomOf({ waiting }: Line): number {
  let room = 0;
  for (const { max } of waiting) room += max;
  return room;
}
