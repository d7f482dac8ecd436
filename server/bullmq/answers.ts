/** The answers of a pipeline or a transaction. A key that has another type than BullMQ's has `undefined`: there is nothing to show. */
type Answers = [error: Error | null, answer: unknown][] | null;

/** Rejects with the first other error. */
export async function answersOf<T>(asked: Promise<Answers>): Promise<(T | undefined)[]> {
  const answers = (await asked) ?? [];
  return answers.map(([error, answer]) => {
    if (error === null) return answer as T;
    if (error.message.startsWith("WRONGTYPE")) return undefined;
    throw error;
  });
}
