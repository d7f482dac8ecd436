/** Lets a few pieces of work run at a time; further ones wait for their turn, first in, first out. */

export type TakeTurn = <T>(work: () => Promise<T>) => Promise<T>;

export function createTurns(max: number): TakeTurn {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async (work) => {
    if (busy >= max) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) busy -= 1;
      else next();
    }
  };
}
