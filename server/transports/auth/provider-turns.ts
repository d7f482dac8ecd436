/**
 * Lets the sign-ins of an address ask the provider a few at a time, in the order of their arrival. So one address can neither make
 * the server ask the provider as often as it likes nor take all places there; and a sign-in among many bad ones of its address
 * has its turn too.
 */
import type { ServerResponse } from "node:http";

/** Sign-ins of an address that ask the provider, or are refused slowly, at the same time. */
export const MAX_CALLBACKS_OF_ADDRESS = 10;

interface Line {
  running: number;
  /** Callbacks that begin a turn, in the order of their arrival. */
  readonly waiting: Set<() => void>;
}

/** Emits `close` when the client leaves. */
export type Visit = Pick<ServerResponse, "closed" | "once" | "off">;

export class ProviderTurns {
  readonly #lines = new Map<string, Line>();

  /** Resolves to what ends the turn, when it has come; `undefined`: the client has left before. */
  async take(address: string, visit: Visit): Promise<(() => void) | undefined> {
    const line = this.#lines.get(address) ?? { running: 0, waiting: new Set() };
    this.#lines.set(address, line);
    if (line.running < MAX_CALLBACKS_OF_ADDRESS) line.running += 1;
    else if (!(await turnIn(line, visit))) return undefined;
    return () => this.#end(address, line);
  }

  #end(address: string, line: Line): void {
    const [next] = line.waiting;
    if (next !== undefined) return next();
    line.running -= 1;
    if (line.running === 0) this.#lines.delete(address);
  }
}

/** Resolves to false if the client leaves before. */
function turnIn({ waiting }: Line, visit: Visit): Promise<boolean> {
  return new Promise((resolve) => {
    const begin = (): void => end(true);
    const leave = (): void => end(false);
    function end(hasTurn: boolean): void {
      waiting.delete(begin);
      visit.off("close", leave);
      resolve(hasTurn);
    }
    if (visit.closed) return resolve(false);
    waiting.add(begin);
    visit.once("close", leave);
  });
}
