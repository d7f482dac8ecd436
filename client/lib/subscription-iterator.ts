/**
 * A subscription as an async iterator. It is opened by the first `next`, and survives lost connections as the subscription does.
 *
 *   idle ── next ──► open ──┬─ many entries wait for their reader ──► paused ── the reader has caught up ──► open
 *                           └─ complete, an error, `return`, or the signal ──► over
 *
 * A paused subscription is closed, and is opened again after the last entry that was read: the server keeps what is between,
 * and may fold it, so that a slow reader needs no memory here.
 */

/** Entries that wait for their reader before the subscription is paused. */
export const MAX_WAITING_ENTRIES = 256;

export interface Entry<T> {
  /** The cursor. */
  id: string;
  data: T;
}

export interface Handlers<T> {
  onData(entry: Entry<T>): void;
  onError(error: unknown): void;
  onComplete(): void;
}

/** Opens the subscription after `lastEventId`; `undefined`: with the current state. */
export type Subscribe<T> = (
  lastEventId: string | undefined,
  handlers: Handlers<T>,
) => { unsubscribe(): void };

interface Options {
  lastEventId?: string | undefined;
  /** Ends the iteration: `next` rejects with its reason. */
  signal?: AbortSignal | undefined;
}

type Result<T> = IteratorResult<T, undefined>;

const DONE = { done: true, value: undefined } as const;

export class SubscriptionIterator<T> implements AsyncIterableIterator<T, undefined> {
  readonly #subscribe: Subscribe<T>;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#fail(this.#signal?.reason);
  #lastEventId: string | undefined;
  /** `undefined`: idle, paused, or over. */
  #open: { subscription?: { unsubscribe(): void } } | undefined;
  #over = false;
  /** Of an iteration that is over: the first `next` after the waiting entries rejects with it. */
  #error: { reason: unknown } | undefined;
  /** Either entries wait for readers, or readers for entries. */
  readonly #waiting: Entry<T>[] = [];
  readonly #readers: ((result: Result<T> | Promise<Result<T>>) => void)[] = [];

  constructor(subscribe: Subscribe<T>, { lastEventId, signal }: Options = {}) {
    this.#subscribe = subscribe;
    this.#lastEventId = lastEventId;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result<T>> {
    const entry = this.#waiting.shift();
    if (entry !== undefined) return Promise.resolve(this.#read(entry));
    if (this.#over) return this.#end();
    return new Promise((resolve) => {
      this.#readers.push(resolve);
      if (this.#open === undefined) this.#subscribeNow();
    });
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#waiting.length = 0;
    this.#finish(undefined);
    return Promise.resolve(DONE);
  }

  #subscribeNow(): void {
    if (this.#signal?.aborted === true) return this.#onAbort();
    this.#signal?.addEventListener("abort", this.#onAbort);
    const open: { subscription?: { unsubscribe(): void } } = {};
    this.#open = open;
    // A closed subscription may still deliver entries; its successor ignores them.
    const isOpen = () => this.#open === open;
    const subscription = this.#subscribe(this.#lastEventId, {
      onData: (entry) => void (isOpen() && this.#take(entry)),
      onError: (error) => void (isOpen() && this.#fail(error)),
      onComplete: () => void (isOpen() && this.#finish(undefined)),
    });
    // It may have ended before it was known here.
    if (isOpen()) open.subscription = subscription;
    else subscription.unsubscribe();
  }

  #take(entry: Entry<T>): void {
    const reader = this.#readers.shift();
    if (reader !== undefined) return reader(this.#read(entry));
    this.#waiting.push(entry);
    if (this.#waiting.length >= MAX_WAITING_ENTRIES) this.#close();
  }

  #read({ id, data }: Entry<T>): Result<T> {
    this.#lastEventId = id;
    return { done: false, value: data };
  }

  #fail(reason: unknown): void {
    this.#finish({ reason });
  }

  #finish(error: { reason: unknown } | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#close();
    for (const reader of this.#readers.splice(0)) reader(this.#end());
  }

  #end(): Promise<Result<T>> {
    const error = this.#error;
    this.#error = undefined;
    return error === undefined ? Promise.resolve(DONE) : Promise.reject(error.reason);
  }

  #close(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    const open = this.#open;
    this.#open = undefined;
    open?.subscription?.unsubscribe();
  }
}
