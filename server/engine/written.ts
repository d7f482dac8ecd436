/** Data that attempts write beside events, as engines return it: the draft, and log lines. */
import type { JobStatus } from "#shared/job.ts";
import type { LogLine } from "#shared/log-line.ts";

export interface DraftPiece {
  /** Counts up over all attempts of a job. */
  seq: number;
  attempt: number;
  /** UTF-16 units of the attempt's draft before this piece. */
  offset: number;
  text: string;
}

export interface DraftSlice {
  pieces: DraftPiece[];
  /** The newest piece's `seq`, 0 where there is none. */
  head: number;
  /** The job's status, read at the same moment. */
  status: JobStatus;
}

export interface LineSlice {
  lines: LogLine[];
  /** The newest line's `seq`, 0 where there is none. */
  head: number;
  /** The job's status, read at the same moment. */
  status: JobStatus;
}
