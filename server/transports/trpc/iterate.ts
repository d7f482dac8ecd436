/** Delivers an async iterable that is not one of our streams, value by value, until it ends or its client leaves. */
export interface Reader {
  signal: AbortSignal;
  /** Aborts `signal`, for cleanup code that waits for it. */
  abort(): void;
  untilDrain(): Promise<void>;
  next(value: unknown): void;
  /** Receives errors that occur after the abort. */
  late(cause: unknown): void;
}

/** Rejects with the error that the iterable or `next` throws. In every case the iterator has ended by then. */
export async function iterate(iterable: AsyncIterable<unknown>, reader: Reader): Promise<void> {
  const { signal } = reader;
  const iterator = iterable[Symbol.asyncIterator]();
  let wake: (() => void) | undefined;
  signal.addEventListener("abort", () => wake?.(), { once: true });

  /** Resolves to the next value, `undefined` at the end. After the abort it does not wait for a stuck iterator. */
  const next = () =>
    new Promise<{ value: unknown } | undefined>((resolve, reject) => {
      wake = () => resolve(undefined);
      iterator.next().then(
        ({ done, value }) => resolve(done === true ? undefined : { value }),
        (cause: unknown) => {
          if (!signal.aborted) reject(cause);
          else if (!isAbortError(cause)) reader.late(cause);
        },
      );
    });

  /** Returns `false` at the end. A separate function, because a loop keeps its last value alive while it waits. */
  async function step(): Promise<boolean> {
    await reader.untilDrain();
    if (signal.aborted) return false;
    const item = await next();
    if (item === undefined || signal.aborted) return false;
    reader.next(item.value);
    return true;
  }

  let failure: { cause: unknown } | undefined;
  try {
    while (await step());
  } catch (cause) {
    failure = { cause };
    reader.abort();
  }
  await dispose(iterator).catch(reader.late);
  if (failure !== undefined) throw failure.cause;
}

/** Ends an unwanted iterable without reading it. */
export async function dispose(
  iterable: AsyncIterable<unknown> | AsyncIterator<unknown>,
): Promise<void> {
  const iterator = Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable;
  await iterator.return?.();
}

function isAbortError(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "AbortError";
}
