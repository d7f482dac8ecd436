/**
 * Makes one listener for all emitters of a kind. With many connections, most of them idle, a closure for each would take more
 * memory than what the connection is.
 */

/** Returns a listener that passes on the emitter that called it, before the arguments of the event. */
export function sharedListener<E, A extends unknown[] = []>(
  listener: (emitter: E, ...args: A) => void,
): (this: E, ...args: A) => void {
  return function (this: E, ...args: A) {
    listener(this, ...args);
  };
}
