/**
 * Entries of the queue, in BullMQ: it says which is next, waits for delayed ones, gives each to one process, and finds
 * what a process held that died.
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
  /** `due`: when it may be taken, in ms since 1970. Those that are there already are left alone. */
  add(entries: readonly (Entry & { due: number })[]): Promise<void>;
  /** The next to be taken, in this order. */
  addFirst(entries: readonly Entry[]): Promise<void>;
  /** What is next, `count` at most, locked for `leaseMs`. */
  take(count: number, leaseMs: number): Promise<Entry[]>;
  /** Number of finished entries whose end waits for a call that takes the next one. */
  ending(): number;
  /** `room`: the last `take` found less than it asked for, so listeners want to hear of more. */
  wait(room: boolean): Promise<void>;
  /** It stands for these places from now on. */
  shrink(entry: Entry): Promise<void>;
  /** Removes a finished entry soon. Does nothing where another process has locked it by now. */
  finish(name: string, lock: string): void;
  /** Puts it back into the queue, for a process with room. */
  giveBack(name: string): Promise<void>;
  /** Puts it back into the queue, until `due`. */
  postpone(name: string, due: number): Promise<void>;
  prolong(names: readonly string[], leaseMs: number): Promise<void>;
  /** Those of them that exist. */
  read(names: readonly string[]): Promise<Entry[]>;
  /** Calls once when there is more, after a `take` that found less than it asked for. */
  onWork(listener: () => void): () => void;
  close(): Promise<void>;
}

const NAME = "jobs";
const ENTRY = "job";
/** BullMQ looks for entries without a lock this often, and puts them back when it sees them a second time. */
export const CHECK_EVERY_MS = 5000;
/** How long a look into the queue may take. What comes later is kept for the next one. */
const TAKE_MS = 5000;
/** Of many entries the first are worked on while the others are added. */
const ADDED_AT_ONCE = 200;
/** BullMQ's own log of the queue's events, which Jobwire does not read. */
const KEPT_EVENTS = 100;
const RETRY_MS = 1000;
/** For how long what is done with waits for a call that takes the next one in its stead. */
const EXCHANGE_MS = 50;

export interface EntriesOptions {
  clients: RedisClients;
  keys: Keys;
  /** Differs from that of any other process. */
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
  // Each call that fails says so to its caller.
  queue.on("error", () => undefined);

  let worker: Worker<EntryData> | undefined;
  const listeners = new Set<() => void>();
  /** Taken, and not asked for yet. */
  const ready: Entry[] = [];
  /** Done with, and still there: the next to be taken are asked for in the calls that end these. */
  const ended: string[] = [];
  let ending: NodeJS.Timeout | undefined;
  /** The last `take` found less than it asked for. */
  let room = false;
  let waiting: Promise<void> | undefined;
  /** Requests whose caller has given up: each may still bring an entry when Redis is back. */
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
      // How often a job may be found abandoned is a matter of its record.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    worker.on("error", () => undefined);
    void worker.startStalledCheckTimer();
    return worker;
  }

  /** In one step, where there is one to end. */
  async function takeNext(from: Worker<EntryData>, done?: string): Promise<Entry | undefined> {
    if (done !== undefined) {
      try {
        const next: unknown = await jobOf(from, done).moveToCompleted(null, lock, true);
        const [data, id] = Array.isArray(next) ? next : [];
        return data ? entryOf(Job.fromJSON<EntryData>(from, data, id)) : undefined;
      } catch {
        // Another process may have it by now. Where Redis is away, the call below fails too.
      }
    }
    return entryOf(await from.getNextJob(lock, { block: false }));
  }

  /** No `take` came in time. An entry whose removal fails is found again and dropped then. */
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

  /** Gives ready entries back when there is no room here: other processes may have room. */
  function giveBackAll(): Promise<unknown> {
    room = false;
    const names = ready.splice(0).map(({ name }) => name);
    // Each goes to the front.
    return Promise.all(names.toReversed().map(giveBack));
  }

  async function giveBack(name: string): Promise<void> {
    // Where that fails its lock runs out.
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
      // A `take` reports the error to its caller; here the wait is repeated.
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
    /** An entry that comes too late is kept for the next `take`; a failure does not lose the entries that came. */
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
      // Where that fails the entries are found early, and the records say that it is too early.
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
      // Ends the waiting; what it brings at the last moment is given back.
      await worker?.close(true);
      await waiting;
      await queue.close();
    },
  };
}

function entryOf(job: Job<EntryData> | undefined): Entry | undefined {
  return job && decodeEntry(job.id ?? "", job.data);
}

/** Stands for an entry, of which only the name matters. */
function jobOf(of: MinimalQueue, name: string): Job {
  return new Job(of, ENTRY, {}, { removeOnComplete: true }, name);
}
