/** Ends jobs that expire, by one timer for the next of them. It needs no worker. */
import type { DatabaseSync } from "node:sqlite";
import { notify } from "#server/engine/notify.ts";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import type { JobEvent } from "#shared/events.ts";
import type { Change } from "./change.ts";
import { type JobRow, selectJobs } from "./job-rows.ts";
import { LIMIT } from "./limit.ts";
import type { Outbox } from "./outbox.ts";
import { asStored, type WriteBehind } from "./write-behind.ts";

/** Both are called in a transaction. */
export interface Expiry {
  /** Ends the jobs whose time has come, `MAX_EXPIRED` at most. */
  end(): void;
  /** Ends a job that was just read, and returns true, if its time has come. */
  endIfOver(row: JobRow): boolean;
}

interface ExpiryOptions {
  db: DatabaseSync;
  change: Pick<Change, "from">;
  behind: Pick<WriteBehind, "flush">;
  outbox: Pick<Outbox, "expired">;
  clock: () => number;
}

/** Jobs that are ended in one transaction. */
const MAX_EXPIRED = 500;

export function createExpiry({ db, change, behind, outbox, clock }: ExpiryOptions): Expiry {
  const over = selectJobs(db, `WHERE expires <= ? ORDER BY expires ${LIMIT}`);

  function endIfOver(row: JobRow): boolean {
    const late = clock() - (row.expires ?? Infinity);
    const before = asStored(row);
    const { expiresAt } = before.job;
    if (late < 0 || expiresAt === null) return false;
    // The time of the record's clock, which may be another than the queue's.
    const at = new Date(expiresAt.getTime() + late);
    outbox.expired(change.from(before, { action: "expire", expiresAt }, at).event);
    return true;
  }

  return {
    end() {
      const rows = over.all(clock(), MAX_EXPIRED);
      for (const row of rows) endIfOver(row);
      if (rows.length > 0) behind.flush();
    },
    endIfOver,
  };
}

/** When the next job expires. */
export function createNextExpiry(db: DatabaseSync): () => number | undefined {
  const next = db.prepare("SELECT expires FROM jobs WHERE expires > 0 ORDER BY expires LIMIT 1");
  return () => (next.get() as { expires: number } | undefined)?.expires;
}

export interface ExpiryTimer {
  /** Sets the timer anew: a job that expires was stored. */
  readonly rearm: () => void;
  /** Tells the listeners of a job that has expired. */
  readonly tell: (event: JobEvent) => void;
  on(listener: (event: JobEvent) => void): () => void;
  close(): void;
}

interface TimerOptions {
  next: () => number | undefined;
  end: () => Promise<unknown>;
  clock: () => number;
  after?: typeof SYSTEM_CLOCK.after | undefined;
}

/** Longer delays make Node's timers fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** Pause after a failure, such as a full disk. */
const RETRY_MS = 1000;

export function openExpiryTimer({
  next,
  end,
  clock,
  after = SYSTEM_CLOCK.after,
}: TimerOptions): ExpiryTimer {
  const listeners = new Set<(event: JobEvent) => void>();
  let disarm: (() => void) | undefined;
  let isEnding = false;
  let isClosed = false;

  function wait(ms: number): void {
    disarm?.();
    disarm = isClosed ? undefined : after(Math.min(ms, MAX_TIMEOUT_MS), () => void run());
  }

  function rearm(): void {
    disarm?.();
    disarm = undefined;
    // The end of a run sets it.
    if (isEnding) return;
    try {
      const time = next();
      if (time !== undefined) wait(Math.max(0, time - clock()));
    } catch {
      wait(RETRY_MS);
    }
  }

  async function run(): Promise<void> {
    isEnding = true;
    const isDone = await end().then(
      () => true,
      () => false,
    );
    isEnding = false;
    if (isDone) rearm();
    else wait(RETRY_MS);
  }

  return {
    rearm,
    tell: (event) => notify(listeners, event),
    on(listener) {
      const registered = (event: JobEvent): void => listener(event);
      listeners.add(registered);
      return () => void listeners.delete(registered);
    },
    close() {
      isClosed = true;
      disarm?.();
    },
  };
}
