/** The part of the engines' contract that copies all that is stored to a file, and back. */

/** A backup that was made. */
export interface Backup {
  readonly bytes: number;
}

export interface Backups {
  /**
   * Writes a consistent copy of all that is stored to a new file, while the engine works. `BAD_REQUEST`: `path` exists, or cannot be
   * written; `UNAVAILABLE`: another backup is being made, the disk is full, or the engine closes. It rejects when `signal` aborts,
   * and leaves no file then. Absent where the store is backed up by means of its own.
   */
  backup?(path: string, signal?: AbortSignal): Promise<Backup>;
}

/** Data that came back from a backup. */
export interface Restored {
  /** All that are stored. */
  readonly jobs: number;
  /** When the newest of them was created; `null` without jobs. */
  readonly newest: Date | null;
}
