/** Bounds the memory and the concurrent calls of work on many jobs. */
export const GROUP = 20;

/** Calls `work` for each item, some at a time, and returns the answers in the order of the items. */
export async function inGroups<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const answers: R[] = [];
  for (let at = 0; at < items.length; at += GROUP) {
    answers.push(...(await Promise.all(items.slice(at, at + GROUP).map(work))));
  }
  return answers;
}
