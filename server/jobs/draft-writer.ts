/**
 * Gathers small pieces of a draft into few commits. Order is kept; a failure is thrown at the next call. A draft that
 * becomes too large fails with `DRAFT_TOO_LARGE`; the stored part stays. Stored text is well-formed Unicode: a
 * surrogate pair that was written in two pieces is stored in one.
 */
import { Failure } from "#server/kinds/define.ts";
import { inBytes } from "#shared/cut-text.ts";
import { MAX_DRAFT_BYTES, MAX_DRAFT_PIECES } from "#shared/limits.ts";
import { createWholeCharacters } from "#shared/whole-characters.ts";

export interface DraftWriter {
  /** Resolves when more may be written. */
  write(text: string): Promise<void>;
  /** Resolves when everything written is committed. */
  flush(): Promise<void>;
}

export interface DraftOptions {
  /** Called once, with `DRAFT_TOO_LARGE`. */
  onFull?: (error: Failure) => void;
  maxBytes?: number;
  maxPieces?: number;
}

/** Text reaches watchers at this pace; one commit for each token would be waste. */
const GATHER_MS = 40;
/** UTF-16 units that may wait; beyond, `write` waits for the commit. */
const MAX_WAITING = 64 * 1024;

export function createDraftWriter(
  append: (text: string) => Promise<unknown>,
  options: DraftOptions = {},
): DraftWriter {
  const { onFull, maxBytes = MAX_DRAFT_BYTES, maxPieces = MAX_DRAFT_PIECES } = options;
  const whole = createWholeCharacters();
  let waiting = "";
  let bytes = 0;
  let pieces = 0;
  let timer: NodeJS.Timeout | undefined;
  let commits: Promise<void> = Promise.resolve();
  /** The next commit, for all waiting text. Callers share it, so calls without `await` cost nothing. */
  let next: Promise<void> | undefined;
  let failure: { error: unknown } | undefined;
  /** The draft is full: what was accepted before is still stored. */
  let full: Failure | undefined;

  function commit(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    return (next ??= handled(startCommit()));
  }

  async function startCommit(): Promise<void> {
    commits = commits.then(commitWaiting);
    await commits;
    if (failure !== undefined) throw failure.error;
    if (full !== undefined) throw full;
  }

  async function commitWaiting(): Promise<void> {
    next = undefined;
    const text = waiting;
    waiting = "";
    if (text === "" || failure !== undefined) return;
    try {
      pieces += 1;
      if (pieces > maxPieces) return refuse(tooManyPieces(maxPieces));
      await append(text);
    } catch (error) {
      failure = { error };
    }
  }

  function refuse(error: Failure): void {
    if (full !== undefined) return;
    full = error;
    onFull?.(error);
  }

  return {
    write(piece) {
      if (failure !== undefined) return handled(Promise.reject(failure.error));
      const text = whole(piece);
      const size = bytes + Buffer.byteLength(text);
      if (size > maxBytes) refuse(tooLarge(size, maxBytes));
      if (full !== undefined) return handled(Promise.reject(full));
      bytes = size;
      waiting += text;
      if (waiting.length > MAX_WAITING) return commit();
      timer ??= setTimeout(() => void commit(), GATHER_MS);
      return Promise.resolve();
    },
    flush: commit,
  };
}

/** Prevents an unhandled rejection where the caller does not await: the next call rejects again. */
function handled(answer: Promise<void>): Promise<void> {
  answer.catch(() => {});
  return answer;
}

function tooLarge(size: number, limit: number): Failure {
  const text = `The draft has ${inBytes(size)}; the limit is ${inBytes(limit)}`;
  return new Failure("DRAFT_TOO_LARGE", text);
}

function tooManyPieces(limit: number): Failure {
  return new Failure(
    "DRAFT_TOO_LARGE",
    `The draft has more than ${limit.toLocaleString("en-US")} pieces, which is the limit. Write larger ones`,
  );
}
