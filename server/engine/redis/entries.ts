/**
 * Queue entries in BullMQ, which orders them, delays them, gives each to one process, and finds the entries of processes that
 * died.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Job, type MinimalQueue, Queue as BullQueue, Worker } from "bullmq";
import { AppError } from "#shared/errors.ts";
import { notify } from "#server/engine/notify.ts";
import type { RedisClients } from "./connect.ts";
import type { Keys } from "./keys.ts";
import { decodeEntry, encodeEntry, type Entry, type EntryData } from "./places.ts";
import { withTimeout } from "./with-timeout.ts";

export interface Entries {
  /** `due`: the time from which an entry may be taken, in ms since 1970. Existing entries stay unchanged. */
  add(entries: readonly (Entry & { due: number })[]): Promise<void>;
  /** Adds entries to the front of the queue, in this order. */
  addFirst(entries: readonly Entry[]): Promise<void>;
  /** Takes the next entries, at most `count`, and locks them for `leaseMs`. */
  take(count: number, leaseMs: number): Promise<Entry[]>;
  /** The number of finished entries that the next takes will remove. */
  ending(): number;
  /** `room`: the last `take` found fewer entries than requested, so listeners wait for more. */
  wait(room: boolean): Promise<void>;
  /** Reduces an entry to these places. */
  shrink(entry: Entry): Promise<void>;
  /** Removes a finished entry soon, unless another process has locked it by then. */
  finish(name: string, lock: string): void;
  /** Returns an entry to the queue, for a process with room. */
  giveBack(name: string): Promise<void>;
  /** Returns an entry to the queue, delayed until `due`. */
  postpone(name: string, due: number): Promise<void>;
  prolong(names: readonly string[], leaseMs: number): Promise<void>;
  /** Returns the entries that exist. */
  read(names: readonly string[]): Promise<Entry[]>;
  /** After a `take` that found fewer entries than requested, calls `listener` once when there are more. */
  onWork(listener: () => void): () => void;
  close(): Promise<void>;
}

const NAME = "jobs";
const ENTRY = "job";
/** BullMQ checks for active entries without a lock at this interval, and re-queues those it finds twice. */
export const CHECK_EVERY_MS = 5000;
/** The time limit of a `take`. Entries that arrive later are kept for the next one. */
const TAKE_MS = 5000;
/** Adds many entries in parts, so that workers start the first ones while the others are added. */
const ADDED_AT_ONCE = 200;
/** The length of BullMQ's own event log, which Jobwire does not read. */
const KEPT_EVENTS = 100;
const RETRY_MS = 1000;
/** How long a finished entry waits for a `take`, which removes it and takes the next entry in one call. */
const EXCHANGE_MS = 50;

export interface EntriesOptions {
  clients: RedisClients;
  keys: Keys;
  /** The lock token of this process, unique among processes. */
  lock: string;
  checkEveryMs?: number | undefined;
}

export function openEntries(options: EntriesOptions): Entries {
  const { clients, keys, lock, checkEveryMs = CHECK_EVERY_MS } = options;
  const queue = new BullQueue<EntryData>(NAME, {
    connection: clients.commands,
    prefix: keys.queue,
    skipVersionCheck: true,
    streams: { events: { maxLen: KEPT_EVENTS } },
    defaultJobOptions: { removeOnComplete: true },
  });
  // Each failed call rejects for its caller.
  queue.on("error", () => undefined);

  let worker: Worker<EntryData> | undefined;
  const listeners = new Set<() => void>();
  /** Taken entries that no `take` has returned yet. */
  const ready: Entry[] = [];
  /** Finished entries that still exist. The calls that remove them also take the next entries. */
  const ended: string[] = [];
  let ending: NodeJS.Timeout | undefined;
  /** True if the last `take` found fewer entries than requested. */
  let room = false;
  let waiting: Promise<void> | undefined;
  /** Requests that timed out. Each may still return an entry when Redis is back. */
  let overdue = 0;
  let closed = false;

  function openWorker(leaseMs: number): Worker<EntryData> {
    if (worker) {
      worker.opts.lockDuration = leaseMs;
      return worker;
    }
    worker = new Worker<EntryData>(NAME, null, {
      connection: clients.patient(),
      prefix: keys.queue,
      autorun: false,
      skipVersionCheck: true,
      lockDuration: leaseMs,
      stalledInterval: Math.min(checkEveryMs, leaseMs / 2),
      // The job's record limits its attempts, not BullMQ.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    worker.on("error", () => undefined);
    void worker.startStalledCheckTimer();
    return worker;
  }

  /** Takes the next entry; in the same step ends `done`, if given. */
  async function takeNext(from: Worker<EntryData>, done?: string): Promise<Entry | undefined> {
    if (done !== undefined) {
      try {
        const next: unknown = await jobOf(from, done).moveToCompleted(null, lock, true);
        const [data, id] = Array.isArray(next) ? next : [];
        return data ? entryOf(Job.fromJSON<EntryData>(from, data, id)) : undefined;
      } catch {
        // Another process may hold `done` by now. If Redis is down, the call below fails too.
      }
    }
    return entryOf(await from.getNextJob(lock, { block: false }));
  }

  /** Removes an entry for which no `take` came in time. If that fails, a later take finds and drops it. */
  async function end(name: string, heldBy: string): Promise<void> {
    await jobOf(queue, name)
      .moveToCompleted(null, heldBy, false)
      .catch(() => undefined);
  }

  function endAll(): Promise<unknown> {
    clearTimeout(ending);
    ending = undefined;
    return Promise.all(ended.splice(0).map((name) => end(name, lock)));
  }

  function offer(entry: Entry): void {
    if (!room || listeners.size === 0) return void giveBack(entry.name);
    ready.push(entry);
    notify(listeners, undefined);
  }

  /** Returns ready entries to the queue when this process has no room: other processes may have room. */
  function giveBackAll(): Promise<unknown> {
    room = false;
    const names = ready.splice(0).map(({ name }) => name);
    // Each entry goes to the front, so the last one goes first.
    return Promise.all(names.toReversed().map(giveBack));
  }

  async function giveBack(name: string): Promise<void> {
    // If this fails, the lock of the entry expires.
    await jobOf(queue, name)
      .moveToWait(lock)
      .catch(() => undefined);
  }

  const isWanted = () => room && listeners.size > 0 && ready.length === 0 && !closed;

  /** Waits for one entry while there are listeners with room. */
  async function waitForOne(): Promise<void> {
    try {
      while (worker && isWanted()) {
        const entry = entryOf(await worker.getNextJob(lock));
        if (entry) offer(entry);
      }
    } catch {
      // The next `take` reports the error to its caller; here the wait is repeated.
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

  return {
    async add(entries) {
      const now = Date.now();
      for (let at = 0; at < entries.length; at += ADDED_AT_ONCE) {
        await queue.addBulk(
          entries.slice(at, at + ADDED_AT_ONCE).map((entry) => ({
            name: ENTRY,
            data: encodeEntry(entry),
            opts: { jobId: entry.name, delay: Math.max(0, entry.due - now) },
          })),
        );
      }
    },
    async addFirst(entries) {
      await queue.addBulk(
        entries.toReversed().map((entry) => ({
          name: ENTRY,
          data: encodeEntry(entry),
          opts: { jobId: entry.name, lifo: true },
        })),
      );
    },
    /** Keeps an entry that arrives too late for the next `take`. A failure does not lose entries that have arrived. */
    async take(count, leaseMs) {
      const from = openWorker(leaseMs);
      const found = ready.splice(0, count);
      let late = false;
      let open = Math.max(0, count - found.length - overdue);
      const done = ended.splice(0, open);
      const asked = Array.from({ length: open }, async (_, index) => {
        try {
          const entry = await takeNext(from, done[index]);
          if (entry === undefined) return;
          if (late) offer(entry);
          else found.push(entry);
        } finally {
          if (late) overdue -= 1;
          else open -= 1;
        }
      });
      const answered = asked.length > 0 || overdue === 0;
      const outcomes = answered ? await withTimeout(TAKE_MS, Promise.allSettled(asked)) : undefined;
      late = true;
      overdue += open;
      if (found.length > 0) return found;
      if (outcomes === undefined) {
        throw new AppError("UNAVAILABLE", "Redis does not answer. Try again.");
      }
      const failed = outcomes.find(({ status }) => status === "rejected");
      if (failed?.status === "rejected") throw failed.reason;
      return found;
    },
    ending: () => ended.length,
    async wait(more) {
      if (!more) return void (await withTimeout(TAKE_MS, giveBackAll()));
      room = true;
      wait();
    },
    shrink: (entry) => jobOf(queue, entry.name).updateData(encodeEntry(entry)),
    finish(name, heldBy) {
      if (heldBy !== lock || closed) return void end(name, heldBy);
      ended.push(name);
      ending ??= setTimeout(() => void endAll(), EXCHANGE_MS);
    },
    giveBack,
    async postpone(name, due) {
      await jobOf(queue, name)
        .moveToDelayed(due, lock)
        .catch(() => undefined);
    },
    async prolong(names, leaseMs) {
      if (names.length === 0) return;
      const locks = names.map(() => lock);
      const prolonged = openWorker(leaseMs).extendJobLocks([...names], locks, leaseMs);
      // If this fails, other processes find the entries too early, and the records postpone them.
      await withTimeout(
        TAKE_MS,
        prolonged.catch(() => undefined),
      );
    },
    async read(names) {
      const data = await Promise.all(
        names.map((name) => clients.commands.hget(queue.toKey(name), "data")),
      );
      return names.flatMap((name, index) => {
        const json = data[index];
        return json == null ? [] : [decodeEntry(name, JSON.parse(json) as EntryData)];
      });
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
      // Ends the wait. An entry that still arrives goes back to the queue.
      await worker?.close(true);
      await waiting;
      await queue.close();
    },
  };
}

function entryOf(job: Job<EntryData> | undefined): Entry | undefined {
  return job && decodeEntry(job.id ?? "", job.data);
}

/** Returns a BullMQ job with only the name of an entry. */
function jobOf(of: MinimalQueue, name: string): Job {
  return new Job(of, ENTRY, {}, { removeOnComplete: true }, name);
}
