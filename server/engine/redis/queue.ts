/**
 * The queue: BullMQ says which job is next, waits for delayed ones, and finds what a worker held that died. Each time
 * a job is queued it gets an entry of its own, named by its id and the version it was queued as. Records are the truth:
 * an entry that does not fit its job's record is dropped by whoever finds it, and one that is missing is added again
 * (`sweep.ts`). So nothing is lost with the queue's data, and what is queued twice runs once.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Job, type MinimalQueue, Queue as BullQueue, Worker } from "bullmq";
import { AppError } from "#shared/errors.ts";
import { notify } from "#server/engine/common/notify.ts";
import type { Connections } from "./connect.ts";
import type { Keys } from "./keys.ts";
import { within } from "./within.ts";

/** A job's place in the queue. */
export interface Place {
  jobId: string;
  /** The version of its record when it was queued. */
  queuedAs: string;
}

export interface QueuedPlace extends Place {
  tenant: string;
  /** When it may be taken, in ms since 1970. */
  due: number;
}

/** What was found in the queue: nobody else is given it while the lock holds. */
export interface Found extends Place {
  tenant: string;
}

export interface Queue {
  /** Those that are there already are left alone. */
  add(places: readonly QueuedPlace[]): Promise<void>;
  /** What is next, `max` at most, locked for `leaseMs`. */
  take(max: number, leaseMs: number): Promise<Found[]>;
  /** The name under which this process locks entries. */
  readonly lock: string;
  /** It is done with, or fits no record, and goes soon. Nothing happens where somebody else has locked it by now. */
  drop(place: Place, lock: string): void;
  /** Back into the queue, until `due`. */
  postpone(place: Place, due: number): Promise<void>;
  prolong(held: readonly (Place & { lock: string })[], leaseMs: number): Promise<void>;
  /** Which of these are not in the queue. */
  missing<T extends Place>(places: readonly T[]): Promise<T[]>;
  /** Calls once when there is something for whoever's last `take` found less than it might have. */
  onWork(listener: () => void): () => void;
  close(): Promise<void>;
}

interface Entry {
  tenant: string;
}

const NAME = "jobs";
const ENTRY = "job";
/** BullMQ looks for entries without a lock this often, and puts them back when it sees them a second time. */
export const CHECK_EVERY_MS = 5000;
/** How long a look into the queue may take. What comes later is kept for the next one. */
const TAKE_MS = 5000;
/** Of many entries the first are worked on while the others are added. */
const ADDED_AT_ONCE = 200;
/** BullMQ's own log of what happens in the queue: nobody here reads it. */
const KEPT_EVENTS = 100;
const RETRY_MS = 1000;
/** For how long what is done with waits for a call that takes the next one in its stead. */
const EXCHANGE_MS = 50;

/** What an entry is called. BullMQ's own keys have no dots. */
function nameOf({ jobId, queuedAs }: Place): string {
  return `${jobId}.${queuedAs}`;
}

export interface QueueOptions {
  connections: Connections;
  keys: Keys;
  /** Differs from that of any other process. */
  lock: string;
  checkEveryMs?: number;
}

export function createQueue(options: QueueOptions): Queue {
  const { connections, keys, lock, checkEveryMs = CHECK_EVERY_MS } = options;
  const queue = new BullQueue<Entry>(NAME, {
    connection: connections.commands,
    prefix: keys.queue,
    skipVersionCheck: true,
    streams: { events: { maxLen: KEPT_EVENTS } },
    defaultJobOptions: { removeOnComplete: true },
  });
  // Each call that fails says so to its caller.
  queue.on("error", () => undefined);

  let worker: Worker<Entry> | undefined;
  const listeners = new Set<() => void>();
  /** Taken, and not asked for yet. */
  const ready: Job<Entry>[] = [];
  /**
   * How many it asks for at once: twice as many each time that all were there, and else as many as were. So a process
   * with much room does not ask that many times for each job that comes.
   */
  let likely = 1;
  /** Done with, and still there: the next to be taken are asked for in the calls that end these. */
  const ended: Place[] = [];
  let ending: NodeJS.Timeout | undefined;
  /** Whoever took last would have taken more. */
  let room = false;
  let waiting: Promise<void> | undefined;
  let closed = false;

  function openWorker(leaseMs: number): Worker<Entry> {
    if (worker) {
      worker.opts.lockDuration = leaseMs;
      return worker;
    }
    worker = new Worker<Entry>(NAME, null, {
      connection: connections.patient(),
      prefix: keys.queue,
      autorun: false,
      skipVersionCheck: true,
      lockDuration: leaseMs,
      stalledInterval: Math.min(checkEveryMs, leaseMs / 2),
      // How often a job may be found abandoned is a matter of its record.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    worker.on("error", () => undefined);
    void worker.startStalledCheckTimer();
    return worker;
  }

  /** What comes too late for whoever asked is ready for the next; what was found is not lost with what was not. */
  async function fetch(from: Worker<Entry>, count: number): Promise<Job<Entry>[]> {
    const found: Job<Entry>[] = [];
    let late = false;
    const done = ended.splice(0, count);
    const asked = Array.from({ length: count }, async (_, index) => {
      const entry = await takeNext(from, done[index]);
      if (entry === undefined) return;
      if (late) offer(entry);
      else found.push(entry);
    });
    const outcomes = await within(TAKE_MS, Promise.allSettled(asked));
    late = true;
    if (found.length > 0) return found;
    if (outcomes === undefined) {
      throw new AppError("UNAVAILABLE", "Redis does not answer. Try again.");
    }
    const failed = outcomes.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
    return found;
  }

  /** In one step, where there is one to end. */
  async function takeNext(from: Worker<Entry>, done?: Place): Promise<Job<Entry> | undefined> {
    if (done !== undefined) {
      try {
        const next: unknown = await entryOf(from, done).moveToCompleted(null, lock, true);
        const [data, id] = Array.isArray(next) ? next : [];
        return data ? Job.fromJSON<Entry>(from, data, id) : undefined;
      } catch {
        // Somebody else may have it by now. Where Redis is away, the call below says so.
      }
    }
    return from.getNextJob(lock, { block: false });
  }

  /** Nobody took more in time. Where that fails, it is found again and dropped then. */
  async function end(place: Place, heldBy: string): Promise<void> {
    await entryOf(queue, place)
      .moveToCompleted(null, heldBy, false)
      .catch(() => undefined);
  }

  function endAll(): Promise<unknown> {
    clearTimeout(ending);
    ending = undefined;
    return Promise.all(ended.splice(0).map((place) => end(place, lock)));
  }

  function offer(entry: Job<Entry>): void {
    if (!room || listeners.size === 0) return void giveBack(entry);
    ready.push(entry);
    notify(listeners, undefined);
  }

  /** Nobody has room for what is ready: others may have. */
  function giveBackAll(): Promise<unknown> {
    room = false;
    return Promise.all(ready.splice(0).map(giveBack));
  }

  async function giveBack(entry: Job<Entry>): Promise<void> {
    // Where that fails its lock runs out.
    await entry.moveToWait(lock).catch(() => undefined);
  }

  const isWanted = () => room && listeners.size > 0 && ready.length === 0 && !closed;

  /** Waits for one entry, while somebody listens and has room for it. */
  async function waitForOne(): Promise<void> {
    try {
      while (worker && isWanted()) {
        const entry = await worker.getNextJob(lock);
        if (entry) offer(entry);
      }
    } catch {
      // Whoever takes is told. Here it is tried again.
      await delay(RETRY_MS, undefined, { ref: false });
    }
  }

  function wait(): void {
    if (!isWanted()) return;
    waiting ??= waitForOne().finally(() => {
      waiting = undefined;
      wait();
    });
  }

  const keyOf = (place: Place) => queue.toKey(nameOf(place));

  /** Stands for an entry, of which only the name matters. */
  function entryOf(of: MinimalQueue, place: Place): Job {
    return new Job(of, ENTRY, {}, { removeOnComplete: true }, nameOf(place));
  }

  return {
    lock,
    async add(places) {
      const now = Date.now();
      for (let at = 0; at < places.length; at += ADDED_AT_ONCE) {
        await queue.addBulk(
          places.slice(at, at + ADDED_AT_ONCE).map((place) => ({
            name: ENTRY,
            data: { tenant: place.tenant },
            opts: { jobId: nameOf(place), delay: Math.max(0, place.due - now) },
          })),
        );
      }
    },
    async take(max, leaseMs) {
      const from = openWorker(leaseMs);
      const entries = ready.splice(0, max);
      try {
        let more = true;
        while (more && entries.length < max) {
          const asked = Math.min(Math.max(likely, ended.length), max - entries.length);
          const found = await fetch(from, asked);
          entries.push(...found);
          more = found.length === asked;
          likely = more ? Math.max(likely, 2 * asked) : Math.max(found.length, 1);
        }
      } catch (cause) {
        if (entries.length === 0) throw cause;
      }
      if (entries.length < max) {
        room = true;
        wait();
      } else await within(TAKE_MS, giveBackAll());
      return entries.map((entry) => {
        const [jobId = "", queuedAs = ""] = (entry.id ?? "").split(".");
        return { jobId, queuedAs, tenant: entry.data.tenant };
      });
    },
    drop(place, heldBy) {
      if (heldBy !== lock || closed) return void end(place, heldBy);
      ended.push(place);
      ending ??= setTimeout(() => void endAll(), EXCHANGE_MS);
    },
    async postpone(place, due) {
      await entryOf(queue, place)
        .moveToDelayed(due, lock)
        .catch(() => undefined);
    },
    async prolong(held, leaseMs) {
      if (held.length === 0) return;
      const prolonged = openWorker(leaseMs).extendJobLocks(
        held.map(nameOf),
        held.map((each) => each.lock),
        leaseMs,
      );
      // Where that fails the entries are found early, and the records say that it is too early.
      await within(
        TAKE_MS,
        prolonged.catch(() => undefined),
      );
    },
    async missing(places) {
      const there = await Promise.all(
        places.map((place) => connections.commands.exists(keyOf(place))),
      );
      return places.filter((_, index) => there[index] === 0);
    },
    onWork(listener) {
      const entry = (): void => listener();
      listeners.add(entry);
      wait();
      return () => {
        listeners.delete(entry);
        if (listeners.size === 0) void giveBackAll();
      };
    },
    async close() {
      closed = true;
      listeners.clear();
      await Promise.all([giveBackAll(), endAll()]);
      // Ends the waiting; what it brings at the last moment is given back.
      await worker?.close(true);
      await waiting;
      await queue.close();
    },
  };
}
