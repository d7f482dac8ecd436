/**
 * Places in the queue, and the entries that have them. An entry costs BullMQ much the same whatever it stands for, so
 * the jobs of a batch are queued several to an entry; any place may also have an entry of its own, as those have that
 * wait anew. Names say which is which, so that it is known of each place in which entries it can be.
 */

/** A job's place in the queue. */
export interface Place {
  jobId: string;
  /** The version of its record when it was queued; of jobs that were queued together, the first and which one it is. */
  queuedAs: string;
}

/** An entry of BullMQ: the places of one or several jobs of a tenant. */
export interface Entry {
  name: string;
  tenant: string;
  places: readonly Place[];
}

/** `jobs`: where it is not an entry of one place's own. */
export interface EntryData {
  tenant: string;
  jobs?: readonly string[];
}

/**
 * Enough that the queue costs little beside the records; few enough that a worker has room for most of them, since
 * those it has no room for are queued again.
 */
const TOGETHER = 10;

/** Of jobs that are queued at the same time, in this order. */
export function placesTogether(jobIds: readonly string[]): Place[] {
  return jobIds.map((jobId, n) => {
    const index = n % TOGETHER;
    return { jobId, queuedAs: `${jobIds[n - index]}/${index}` };
  });
}

/** For places as `placesTogether` gives them. */
export function entriesTogether(tenant: string, places: readonly Place[]): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < places.length; at += TOGETHER) {
    entries.push(sharedEntry(tenant, places.slice(at, at + TOGETHER)));
  }
  return entries;
}

/** For places that follow each other, of those that were queued together. */
export function sharedEntry(tenant: string, places: readonly Place[]): Entry {
  return { name: places[0]?.queuedAs ?? "", tenant, places };
}

export function ownEntry(tenant: string, place: Place): Entry {
  return { name: ownName(place), tenant, places: [place] };
}

/** BullMQ's own keys have no dots. */
export function ownName({ jobId, queuedAs }: Place): string {
  return `${jobId}.${queuedAs}`;
}

/** Of all entries that can have it. */
export function namesWith(place: Place): string[] {
  return [ownName(place), ...sharedNames(place)];
}

/** Of those that it can share with others: they begin with any place from the first to this one. */
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
