/**
 * Places in the queue, and the entries that stand for them. An entry costs BullMQ about the same for one place as for many,
 * so the jobs of a batch share entries. A place may also have an entry of its own, as a job does that is queued again. Names
 * distinguish the two, so that a place determines which entries can contain it.
 */

/** A job's place in the queue. */
export interface Place {
  jobId: string;
  /** The record's version at queueing; for jobs that were queued together, the first job's id and the index: `id/3`. */
  queuedAs: string;
}

/** An entry of BullMQ: the places of one or several jobs of a tenant. */
export interface Entry {
  name: string;
  tenant: string;
  places: readonly Place[];
}

/** `jobs` is absent for an entry of a single place's own. */
export interface EntryData {
  tenant: string;
  jobs?: readonly string[];
}

/**
 * Large enough that the queue costs little compared with the records; small enough that a worker has room for most places
 * of an entry, since it must queue the others again.
 */
const TOGETHER = 10;

/** Returns the places of jobs that are queued together, in this order. */
export function placesTogether(jobIds: readonly string[]): Place[] {
  return jobIds.map((jobId, n) => {
    const index = n % TOGETHER;
    return { jobId, queuedAs: `${jobIds[n - index]}/${index}` };
  });
}

/** Returns the entries for places from `placesTogether`. */
export function entriesTogether(tenant: string, places: readonly Place[]): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < places.length; at += TOGETHER) {
    entries.push(sharedEntry(tenant, places.slice(at, at + TOGETHER)));
  }
  return entries;
}

/** Returns one entry for consecutive places from `placesTogether`. */
export function sharedEntry(tenant: string, places: readonly Place[]): Entry {
  return { name: places[0]?.queuedAs ?? "", tenant, places };
}

export function ownEntry(tenant: string, place: Place): Entry {
  return { name: ownName(place), tenant, places: [place] };
}

/** The name of a place's own entry. It has a dot, as BullMQ's own keys do not. */
export function ownName({ jobId, queuedAs }: Place): string {
  return `${jobId}.${queuedAs}`;
}

/** Returns the names of all entries that can contain the place. */
export function namesWith(place: Place): string[] {
  return [ownName(place), ...sharedNames(place)];
}

/** Returns the names of shared entries that can contain the place: they begin with any place from the first to this one. */
export function sharedNames({ queuedAs }: Place): string[] {
  const [first, index] = queuedAs.split("/");
  if (index === undefined) return [];
  return Array.from({ length: Number(index) + 1 }, (_, from) => `${first}/${from}`);
}

export function encodeEntry({ name, tenant, places }: Entry): EntryData {
  return isOwn(name) ? { tenant } : { tenant, jobs: places.map(({ jobId }) => jobId) };
}

export function decodeEntry(name: string, { tenant, jobs = [] }: EntryData): Entry {
  if (isOwn(name)) {
    const dot = name.indexOf(".");
    return ownEntry(tenant, { jobId: name.slice(0, dot), queuedAs: name.slice(dot + 1) });
  }
  const [first, from] = name.split("/");
  const places = jobs.map((jobId, n) => ({ jobId, queuedAs: `${first}/${Number(from) + n}` }));
  return { name, tenant, places };
}

function isOwn(name: string): boolean {
  return name.includes(".");
}
