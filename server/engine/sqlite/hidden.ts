/** Batches that are being stored in steps (`large-batch.ts`), and that no read finds yet. */

/** The rows of one of them. Positions and revs were taken for all of its jobs at once. */
export interface HiddenBatch {
  readonly batchN: number;
  /** The positions of its jobs, from the first to the last. */
  readonly firstN: number;
  readonly lastN: number;
  readonly tenant: string;
  /** The rev before those of its jobs. */
  readonly revBefore: number;
}

export interface Hidden {
  add(batch: HiddenBatch): void;
  remove(batch: HiddenBatch): void;
  readonly size: number;
  /** Returns the position of the first job of the hidden batch that the job is in. `undefined`: it is not hidden. */
  startOf(jobN: number): number | undefined;
  hasBatch(batchN: number): boolean;
  /**
   * Returns how far a feed of the tenant may be read: its changes wait until the batch is shown, since a cursor beyond its revs
   * would miss its jobs.
   */
  headOf(tenant: string, rev: number): number;
}

export function createHidden(): Hidden {
  const all = new Set<HiddenBatch>();
  return {
    add: (batch) => void all.add(batch),
    remove: (batch) => void all.delete(batch),
    get size() {
      return all.size;
    },
    startOf(jobN) {
      for (const { firstN, lastN } of all) if (jobN >= firstN && jobN <= lastN) return firstN;
      return undefined;
    },
    hasBatch(batchN) {
      for (const each of all) if (each.batchN === batchN) return true;
      return false;
    },
    headOf(tenant, rev) {
      let head = rev;
      for (const each of all) if (each.tenant === tenant) head = Math.min(head, each.revBefore);
      return head;
    },
  };
}
