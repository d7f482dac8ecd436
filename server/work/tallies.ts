/**
 * Counts what attempts of workers elsewhere have stored, for limits of a whole attempt. In memory: a restart, or another gateway, counts
 * anew. What a job stores is bounded all the same, by its number of events and by the size of each.
 */
import { inBytes } from "#shared/cut-text.ts";
import { AppError } from "#shared/errors.ts";
import { MAX_ATTEMPT_DETAILS, MAX_DRAFT_BYTES, MAX_DRAFT_PIECES } from "#shared/limits.ts";

/** Attempts that are counted at a time. Beyond it, the one that stored nothing for the longest time is counted anew. */
export const MAX_TALLIES = 10_000;

interface Tally {
  attempt: number;
  /** Bytes of the newest details, and of those in all events. */
  newest: number;
  details: number;
  draft: number;
  pieces: number;
}

export interface Tallies {
  /** Throws `BAD_REQUEST` where the attempt's events would have too many details. `bytes` is absent where a report has none. */
  addDetails(job: Attempt, bytes: number | undefined): void;
  /** Throws `BAD_REQUEST` where the draft would be too large. */
  addDraft(job: Attempt, text: string): void;
  forget(job: Attempt): void;
}

interface Attempt {
  jobId: string;
  attempt: number;
}

export function createTallies(max = MAX_TALLIES): Tallies {
  const tallies = new Map<string, Tally>();

  function of({ jobId, attempt }: Attempt): Tally {
    const known = tallies.get(jobId);
    const tally =
      known?.attempt === attempt ? known : { attempt, newest: 0, details: 0, draft: 0, pieces: 0 };
    // The order of the map is that of the newest use.
    tallies.delete(jobId);
    tallies.set(jobId, tally);
    if (tallies.size > max) tallies.delete(tallies.keys().next().value ?? "");
    return tally;
  }

  return {
    addDetails(job, bytes) {
      const tally = of(job);
      const newest = bytes ?? tally.newest;
      if (tally.details + newest > MAX_ATTEMPT_DETAILS) {
        throw new AppError(
          "BAD_REQUEST",
          `The events of this attempt have ${inBytes(MAX_ATTEMPT_DETAILS)} of details, which is the limit, as each event carries the newest ones. Report less often, or smaller details.`,
        );
      }
      tally.newest = newest;
      tally.details += newest;
    },
    addDraft(job, text) {
      const tally = of(job);
      const draft = tally.draft + Buffer.byteLength(text);
      if (draft > MAX_DRAFT_BYTES) {
        const text = `The draft has ${inBytes(draft)}; the limit is ${inBytes(MAX_DRAFT_BYTES)}.`;
        throw new AppError("BAD_REQUEST", text);
      }
      if (tally.pieces >= MAX_DRAFT_PIECES) {
        throw new AppError(
          "BAD_REQUEST",
          `The draft has ${MAX_DRAFT_PIECES.toLocaleString("en-US")} pieces, which is the limit. Write larger ones.`,
        );
      }
      tally.draft = draft;
      tally.pieces += 1;
    },
    forget: ({ jobId }) => void tallies.delete(jobId),
  };
}
