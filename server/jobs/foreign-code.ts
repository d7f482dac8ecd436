/**
 * Attributes errors that foreign code (a kind, a hook) throws where none of our calls can catch them: from a timer, an
 * event listener, or a promise that nothing awaits. Node reports those as events of the process, and runs the listeners
 * of these events in the asynchronous context of the code that failed.
 *
 * Not attributed: errors from a `FinalizationRegistry`, and rejections of a promise that code outside of the scope
 * rejects and nothing inside awaits. Both have no context of their own.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { asError } from "#shared/errors.ts";

/** Receives an error that escaped from the code. Must not throw. */
export type OnStray = (error: unknown) => void;

/** One for the process, as the process's events are. `undefined`: our own code. */
const scopes = new AsyncLocalStorage<OnStray | undefined>();

/** Runs foreign code. What escapes from it later goes to `onStray`. */
export function runForeign<T>(onStray: OnStray, code: () => T): T {
  return scopes.run(onStray, code);
}

/** Runs our own code that foreign code calls: its errors, and those of what it starts, are ours. */
export function runOwn<T>(code: () => T): T {
  return scopes.run(undefined, code);
}

/**
 * For the process's `uncaughtException` and `unhandledRejection`. Returns true if foreign code threw the error, after
 * passing it to `onStray`; otherwise the error is a fault of the program. Call it synchronously in the listener.
 */
export function takeStrayError(error: unknown): boolean {
  const onStray = scopes.getStore();
  if (onStray === undefined) return false;
  runOwn(() => onStray(error));
  return true;
}

/** For foreign code that belongs to no job. */
export function warnOfStray(error: unknown): void {
  process.emitWarning(asError(error));
}
