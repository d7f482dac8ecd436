import { asError } from "#shared/errors.ts";

/**
 * Calls each listener that is there when it begins and has not ended when its turn comes. One that throws is
 * reported as a warning of the process and disturbs no other.
 */
export function notify<T>(listeners: ReadonlySet<(value: T) => void>, value: T): void {
  const present = Array.from(listeners);
  for (const listener of present) {
    if (!listeners.has(listener)) continue;
    try {
      listener(value);
    } catch (thrown) {
      process.emitWarning(asError(thrown));
    }
  }
}
