/**
 * The part of an engine that mirrors of outside queues need (`shared/outside.ts`): who writes one, how far it is, and which job
 * stands for which of the queue. Its methods reject as those of the engine do (`contract.ts`).
 */
import type { NewLogLine } from "#shared/log-line.ts";

export interface MirrorRef {
  /** The kind of its jobs. */
  name: string;
  /** Of its jobs. */
  tenant: string;
}

export interface HoldRequest {
  mirror: MirrorRef;
  /** A text that no other process has. */
  holder: string;
  leaseMs: number;
  /** Stored where the holder has the mirror. Absent: the stored one stays. */
  position?: string | undefined;
}

export interface MirrorStore {
  /**
   * Takes the mirror, or prolongs the lease of the one that has it. `undefined`: another holder has it. `position`: the newest
   * one that was stored, or `null`.
   *
   * A holder that lost its lease may not know yet. So positions of jobs (`Outside`) keep changes from being stored twice, and this
   * lease only keeps processes from doing the same work.
   */
  hold(request: HoldRequest): Promise<{ position: string | null } | undefined>;
  /** Ends the lease of this holder, if it has one. */
  release(mirror: MirrorRef, holder: string): Promise<void>;

  /** The jobs that stand for those with these ids, in their order. */
  find(mirror: MirrorRef, outsideIds: readonly string[]): Promise<(string | undefined)[]>;
  /** Lets a job stand for this one, unless another does. Returns the job that does. */
  bind(mirror: MirrorRef, outsideId: string, jobId: string): Promise<string>;
  /** Forgets which jobs stand for these. */
  unbind(mirror: MirrorRef, outsideIds: readonly string[]): Promise<void>;

  /**
   * Appends log lines to a mirrored job, in whatever state it is, if its newest line has the `seq` `after`; otherwise it appends
   * none. Returns the `seq` of its newest line then. `NOT_FOUND` where there is no such job.
   */
  appendLines(jobId: string, after: number, lines: readonly NewLogLine[]): Promise<number>;
}
