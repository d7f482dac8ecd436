/**
 * Holds back what a client is to be told before its first message, because that message decides in which encoding. A stock
 * client throws on a frame of the other encoding, which ends a program in Node.
 */

/** Clients with something to ask send it as soon as they are connected. */
const PATIENCE_MS = 1000;

export class FirstMessage {
  readonly #waiting = new Set<() => void>();

  /** Calls `tell` once the message has arrived, or `otherwise` if it does not arrive soon. */
  wait(tell: () => void, otherwise: () => void): void {
    this.#waiting.add(tell);
    setTimeout(() => {
      if (this.#waiting.delete(tell)) otherwise();
    }, PATIENCE_MS).unref();
  }

  arrived(): void {
    for (const tell of this.#waiting) tell();
    this.#waiting.clear();
  }
}
