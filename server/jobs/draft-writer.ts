/** Gathers small pieces of a draft into few commits. Order is kept; a failure is thrown at the next call. */

export interface DraftWriter {
  /** Resolves when more may be written. */
  write(text: string): Promise<void>;
  /** Resolves when everything written is committed. */
  flush(): Promise<void>;
}

/** A watcher sees text flow at this pace; a commit a token would be waste. */
const GATHER_MS = 40;
/** UTF-16 units that may wait; beyond, `write` waits for the commit. */
const MAX_WAITING = 64 * 1024;

export function createDraftWriter(append: (text: string) => Promise<void>): DraftWriter {
  let waiting = "";
  let timer: NodeJS.Timeout | undefined;
  let commits: Promise<void> = Promise.resolve();
  let failure: { error: unknown } | undefined;

  async function commit(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    commits = commits.then(commitWaiting);
    await commits;
    if (failure !== undefined) throw failure.error;
  }

  async function commitWaiting(): Promise<void> {
    const text = waiting;
    waiting = "";
    if (text === "" || failure !== undefined) return;
    try {
      await append(text);
    } catch (error) {
      failure = { error };
    }
  }

  return {
    async write(text) {
      if (failure !== undefined) throw failure.error;
      waiting += text;
      if (waiting.length > MAX_WAITING) return commit();
      timer ??= setTimeout(() => {
        timer = undefined;
        commits = commits.then(commitWaiting);
      }, GATHER_MS);
    },
    flush: commit,
  };
}
