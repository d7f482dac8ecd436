/** The part of the engines' contract that says how full a store is, for metrics. */

/** Read at the same moment, nearly. */
export interface StorageState {
  /** Jobs of all tenants that wait or run. */
  readonly unsettledJobs: number;
  /** All that is stored, in bytes of the disk. */
  readonly bytes: number;
  /** The disk that it is on. */
  readonly disk: { readonly freeBytes: number; readonly sizeBytes: number };
}

export interface Storage {
  /**
   * Reads it at a cost that does not grow with the number of jobs. Absent where the store is another server, which has metrics
   * of its own.
   */
  storage?(): Promise<StorageState>;
}
