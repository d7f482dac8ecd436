/**
 * The queue. Each time a job is queued, it gets a new place in a BullMQ entry (`entries.ts`) that may stand for several
 * places (`places.ts`). Records are the truth: a process drops a place that does not match its job's record, and the sweep
 * adds missing places again (`sweep.ts`). So losing the queue's data loses no job, and a job that is queued twice runs once.
 */
import { openEntries, type EntriesOptions } from "./entries.ts";
import {
  entriesTogether,
  type Entry,
  namesWith,
  ownEntry,
  ownName,
  type Place,
  sharedEntry,
  sharedNames,
} from "./places.ts";

export interface QueuedPlace extends Place {
  tenant: string;
  /** The time from which the place may be taken, in ms since 1970. */
  due: number;
}

/** A place that this process took. No other process gets it while the lock holds. */
export interface Found extends Place {
  tenant: string;
  /** The name of its entry. */
  entry: string;
}

export interface Queue {
  /** Existing places stay unchanged. */
  add(places: readonly QueuedPlace[]): Promise<void>;
  /** Adds the places of a batch, from `placesTogether`. */
  addTogether(tenant: string, places: readonly Place[], due: number): Promise<void>;
  /** Takes the next places, at most `max`, and locks them for `leaseMs` from `now` on. */
  take(max: number, leaseMs: number, now: Date): Promise<Found[]>;
  /** The lock token of this process. */
  readonly lock: string;
  /**
   * Removes a place that is finished or matches no record. Does nothing if another process has locked it by now.
   */
  drop(place: Place, lock: string): void;
  /** Returns a place to the queue, delayed until `due`. */
  postpone(found: Found, due: number): Promise<void>;
  prolong(held: readonly Place[], leaseMs: number, now: Date): Promise<void>;
  /** Returns the places that are not in the queue. */
  missing<T extends Place>(places: readonly T[]): Promise<T[]>;
  /** After a `take` that found fewer places than requested, calls `listener` once when there are more. */
  onWork(listener: () => void): () => void;
  close(): Promise<void>;
}

/** An entry that this process has locked. */
interface Held extends Entry {
  /** The lease ends of unfinished places, in ms since 1970, by job. */
  left: Map<string, number>;
}

export function openQueue(options: EntriesOptions): Queue {
  const { lock } = options;
  const entries = openEntries(options);
  /** Held entries by name. */
  const held = new Map<string, Held>();
  /** Taken entries without room here, on their way back to the queue. */
  const returning = new Set<Promise<unknown>>();
  /**
   * The number of entries to request at once: it doubles after each full answer, and otherwise becomes the number that came.
   * So a process with much room does not send that many requests for each new job.
   */
  let likely = 1;
  /** The number of places in the last entry. */
  let size = 1;

  function hold(entry: Entry, until: number): Found[] {
    const { name, tenant, places } = entry;
    held.set(name, { ...entry, left: new Map(places.map(({ jobId }) => [jobId, until])) });
    return places.map((place) => ({ ...place, tenant, entry: name }));
  }

  /**
   * Re-enqueues jobs whose lease expired. The lock of an entry expires by itself; if other jobs of the same entry
   * still hold their leases, the job gets an entry of its own.
   */
  async function letGo(now: number): Promise<void> {
    for (const [name, { places, left }] of held) {
      const over = places.filter(({ jobId }) => (left.get(jobId) ?? now) < now);
      if (over.length === 0) continue;
      if (over.length === left.size) {
        held.delete(name);
        continue;
      }
      await moveOut(name, over, () => 0);
    }
  }

  /**
   * The lock of an entry was prolonged from `now` until `until`, for some of its places. If this process died, other processes
   * would find the remaining places only when that lock expires, not when their leases end. So these get their own entries.
   */
  async function moveOutShorter(name: string, now: number, until: number): Promise<void> {
    const { places = [], left } = held.get(name) ?? {};
    const leaseEnd = ({ jobId }: Place): number => left?.get(jobId) ?? until;
    const shorter = places.filter((place) => leaseEnd(place) < until);
    const due = (place: Place): number => Date.now() + leaseEnd(place) - now;
    if (shorter.length > 0) await moveOut(name, shorter, due);
  }

  /** Moves places of a held entry to entries of their own. */
  async function moveOut(
    name: string,
    places: readonly Place[],
    due: (place: Place) => number,
  ): Promise<void> {
    const tenant = held.get(name)?.tenant;
    if (tenant === undefined) return;
    await entries.add(places.map((each) => ({ ...ownEntry(tenant, each), due: due(each) })));
    for (const place of places) leave(name, place);
  }

  /**
   * Takes the first places of an entry, and queues the others again. It adds the new entries before it shrinks the old one, so
   * a place may be in two entries for a moment, but never in none. A process with little room now will have little room the
   * next time: then each place gets an entry of its own, so that entries are not split repeatedly.
   */
  async function split(entry: Entry, room: number, until: number): Promise<Found[]> {
    const { name, tenant, places } = entry;
    const mine = { name, tenant, places: places.slice(0, room) };
    const others = places.slice(room);
    const rest =
      others.length > room
        ? others.map((place) => ownEntry(tenant, place))
        : [sharedEntry(tenant, others)];
    try {
      await entries.addFirst(rest);
      await entries.shrink(mine);
    } catch (cause) {
      await entries.giveBack(name);
      throw cause;
    }
    return hold(mine, until);
  }

  async function isBack<T>(way: Promise<T>): Promise<T> {
    returning.add(way);
    try {
      return await way;
    } finally {
      returning.delete(way);
    }
  }

  /** Adds places to `found`, up to `max`. Returns true if the queue may have more. */
  async function takeSome(
    found: Found[],
    max: number,
    leaseMs: number,
    until: number,
  ): Promise<boolean> {
    let room = max - found.length;
    const asked = Math.min(Math.max(likely, entries.ending()), Math.ceil(room / size));
    const taken = await entries.take(asked, leaseMs);
    const more = taken.length === asked;
    likely = more ? Math.max(likely, 2 * asked) : Math.max(taken.length, 1);
    let inPart: { entry: Entry; room: number } | undefined;
    const back: string[] = [];
    for (const entry of taken) {
      const { name, places } = entry;
      size = Math.max(1, places.length);
      // An operator removed keys of the queue one by one: the entry has lost its data.
      if (places.length === 0) entries.finish(name, lock);
      else if (places.length <= room) found.push(...hold(entry, until));
      else if (room > 0) inPart = { entry, room };
      else back.push(name);
      room = Math.max(0, room - places.length);
    }
    // Each entry goes to the front, so the last one goes first to keep the order.
    for (const name of back.toReversed()) await isBack(entries.giveBack(name));
    if (inPart) found.push(...(await isBack(split(inPart.entry, inPart.room, until))));
    return more;
  }

  /** Removes a place from a held entry. */
  function leave(name: string, { jobId }: Place): void {
    const holding = held.get(name);
    if (!holding?.left.delete(jobId) || holding.left.size > 0) return;
    held.delete(name);
    entries.finish(name, lock);
  }

  return {
    lock,
    add: (places) =>
      entries.add(places.map((place) => ({ ...ownEntry(place.tenant, place), due: place.due }))),
    addTogether: (tenant, places, due) =>
      entries.add(entriesTogether(tenant, places).map((entry) => ({ ...entry, due }))),
    async take(max, leaseMs, now) {
      const until = now.getTime() + leaseMs;
      const found: Found[] = [];
      try {
        await letGo(now.getTime());
        let more = true;
        while (more && found.length < max) {
          more = await takeSome(found, max, leaseMs, until);
          if (!more && returning.size > 0) {
            await Promise.allSettled(returning);
            more = true;
          }
        }
      } catch (cause) {
        if (found.length === 0) throw cause;
      }
      await entries.wait(found.length < max);
      return found;
    },
    drop(place, heldBy) {
      if (heldBy !== lock) return entries.finish(ownName(place), heldBy);
      for (const name of namesWith(place)) leave(name, place);
    },
    async postpone(found, due) {
      if (held.get(found.entry)?.places.length === 1) {
        held.delete(found.entry);
        return entries.postpone(found.entry, due);
      }
      try {
        await entries.add([{ ...ownEntry(found.tenant, found), due }]);
        leave(found.entry, found);
      } catch {
        // The queue finds the place again when the lock of its entry expires.
      }
    },
    async prolong(places, leaseMs, now) {
      const until = now.getTime() + leaseMs;
      const names = new Set<string>();
      for (const place of places) {
        for (const name of namesWith(place)) {
          const holding = held.get(name);
          if (!holding?.left.has(place.jobId)) continue;
          holding.left.set(place.jobId, until);
          names.add(name);
        }
      }
      await entries.prolong([...names], leaseMs);
      // If this fails, the next renewal tries again.
      try {
        for (const name of names) await moveOutShorter(name, now.getTime(), until);
        await letGo(now.getTime());
      } catch {}
    },
    async missing<T extends Place>(places: readonly T[]) {
      async function without(some: readonly T[], names: (place: Place) => string[]): Promise<T[]> {
        const there = await entries.read([...new Set(some.flatMap(names))]);
        const queued = new Set(there.flatMap((entry) => entry.places.map(ownName)));
        return some.filter((place) => !queued.has(ownName(place)));
      }
      return without(await without(places, sharedNames), (place) => [ownName(place)]);
    },
    onWork: entries.onWork,
    close: entries.close,
  };
}
