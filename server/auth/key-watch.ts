/**
 * Tells those that were let in by an API key when it has ended: at once after a revocation in this process, otherwise when
 * the next look at the key finds that.
 */

/** With the time for which a verifier keeps what it read, a revocation elsewhere is found within 10 s. */
const LOOK_EVERY_MS = 4000;

export interface KeyWatch {
  /** Returns a function that stops it. The listener is called once. */
  onEnd(keyHash: string, listener: () => void): () => void;
  /** Looks at all watched keys now. */
  look(): void;
  close(): void;
}

/** `isValid` rejects while the keys cannot be read: what is open stays open then. */
export function openKeyWatch(
  isValid: (keyHash: string) => Promise<boolean>,
  everyMs = LOOK_EVERY_MS,
): KeyWatch {
  const listeners = new Map<string, Set<() => void>>();

  async function lookAt(keyHash: string): Promise<void> {
    const isOver = await isValid(keyHash).then(
      (valid) => !valid,
      () => false,
    );
    if (!isOver) return;
    const told = listeners.get(keyHash);
    listeners.delete(keyHash);
    for (const listener of told ?? []) listener();
  }

  function look(): void {
    for (const keyHash of listeners.keys()) void lookAt(keyHash);
  }

  const timer = setInterval(look, everyMs).unref();
  return {
    onEnd(keyHash, listener) {
      const present = listeners.get(keyHash) ?? new Set();
      listeners.set(keyHash, present.add(listener));
      // It may have ended since it was checked.
      if (present.size === 1) void lookAt(keyHash);
      return () => {
        present.delete(listener);
        if (present.size === 0 && listeners.get(keyHash) === present) listeners.delete(keyHash);
      };
    },
    look,
    close: () => clearInterval(timer),
  };
}
