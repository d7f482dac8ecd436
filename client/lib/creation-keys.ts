/**
 * Idempotency keys of jobs to create: one for each input, until its job is created. A repeated attempt whose answer was lost
 * creates nothing twice.
 */
import { randomText } from "./random-text.ts";
import { transformer } from "./transformer.ts";

/** Inputs whose last attempt failed. Further ones replace the oldest. */
const MAX_KEYS = 20;

export class CreationKeys {
  readonly #keys = new Map<string, string>();

  /** Calls `create` with the key of this input. The key ends when `create` resolves. */
  async use<T>(input: unknown, create: (idempotencyKey: string) => Promise<T>): Promise<T> {
    const name = JSON.stringify(transformer.serialize(input));
    const key = this.#keys.get(name) ?? randomText();
    this.#keys.delete(name);
    this.#keys.set(name, key);
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= MAX_KEYS) break;
      this.#keys.delete(oldest);
    }
    const created = await create(key);
    if (this.#keys.get(name) === key) this.#keys.delete(name);
    return created;
  }
}
