/** Calls `each` for every item, spread evenly over `ms`, so that the load that follows is spread too. */
import { setTimeout as delay } from "node:timers/promises";

export async function stagger<T>(
  items: readonly T[],
  ms: number,
  each: (item: T) => void,
): Promise<void> {
  const start = performance.now();
  for (const [index, item] of items.entries()) {
    const wait = (ms * index) / items.length - (performance.now() - start);
    if (wait >= 1) await delay(wait);
    each(item);
  }
}
