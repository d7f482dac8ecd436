/**
 * The policies of a kind: how often and how long its jobs run, how many of them at a time, how urgent they are, and how long they
 * are kept. `docs/kind-policies.md` shows how to choose them. `check-policies.ts` says what each may be.
 */
import type { Backoff, LimitsOfKind, RateLimit } from "#shared/kind-policies.ts";

/** All fields are optional: without them, the settings of the server hold, and there is no limit. */
export interface PolicyFields<Input = unknown> {
  /** Attempts after a `Transient` failure or a crash. Any other error ends a job at once. */
  readonly retry?: RetryFields | undefined;
  /**
   * An attempt that runs longer is ended: its signal aborts, and the job ends with the error `TIME_LIMIT`, or is retried where
   * `retry.afterTimeLimit` says so. Whole milliseconds, a week at most. Code that ignores its signal goes on, but changes
   * nothing any more, and after some seconds another job has its place.
   */
  readonly timeLimitMs?: number | undefined;
  /** Settled jobs are deleted after so many whole days, in place of `RETENTION_DAYS`; 0: never. */
  readonly retentionDays?: number | undefined;
  /** 0, the default, to 9: of jobs that are created without a priority. Those with more go first. */
  readonly priority?: number | undefined;
  /**
   * How many jobs may run at a time: `5` in all, of all tenants and processes; `{ limit: 1, key: (input) => input.customer }` of
   * each key, within a tenant; a list for one of both. Others wait in the queue.
   */
  readonly concurrency?:
    | number
    | ConcurrencyLimit<Input>
    | readonly AnyConcurrency<Input>[]
    | undefined;
  /** How many attempts may start in a time: so many at once, and then one each `perMs / limit`. With a key, and in a list, as above. */
  readonly rateLimit?: RateLimitOf<Input> | readonly RateLimitOf<Input>[] | undefined;
}

export interface RetryFields {
  /** Starts of a job, 1 to 100, in place of `MAX_ATTEMPTS`. */
  readonly maxAttempts?: number | undefined;
  /** Pauses, in place of one second that doubles up to a minute, half of it at random. */
  readonly backoff?: { readonly [Field in keyof Backoff]?: Backoff[Field] | undefined } | undefined;
  /** True: an attempt that was ended by `timeLimitMs` is retried as after a `Transient` failure. */
  readonly afterTimeLimit?: boolean | undefined;
}

type AnyConcurrency<Input> = number | ConcurrencyLimit<Input>;

export interface ConcurrencyLimit<Input = unknown> extends Keyed<Input> {
  readonly limit: number;
}

export interface RateLimitOf<Input = unknown> extends Keyed<Input>, Readonly<RateLimit> {}

interface Keyed<Input> {
  /**
   * The key of a job's input: text of at most `MAX_LIMIT_KEY_CHARS`; `undefined`: the job has none, and limits of keys do not
   * concern it. Pure. It is called when a job is created. A kind has one such function at most: where two of its limits have
   * one, it is the same.
   */
  // A method, because kinds of all inputs are one type.
  key?(input: Input): string | undefined;
  /** Its name for people who read why a job waits: `customer` makes "It waits for another job of customer 42". One at most, too. */
  readonly keyName?: string | undefined;
}

export const DEFAULT_BACKOFF: Backoff = {
  firstMs: 1000,
  factor: 2,
  maxMs: 60_000,
  jitter: 0.5,
};

/** The pauses of a kind whose policies were checked. */
export function backoffOf({ retry }: PolicyFields): Backoff {
  const { firstMs, factor, maxMs, jitter } = { ...retry?.backoff };
  const first = firstMs ?? DEFAULT_BACKOFF.firstMs;
  return {
    firstMs: first,
    factor: factor ?? DEFAULT_BACKOFF.factor,
    maxMs: maxMs ?? Math.max(first, DEFAULT_BACKOFF.maxMs),
    jitter: jitter ?? DEFAULT_BACKOFF.jitter,
  };
}

/** The limits of a kind whose policies were checked. `undefined`: it has none. */
export function limitsOf(policies: PolicyFields): LimitsOfKind | undefined {
  const all: Pick<LimitsOfKind, "concurrency" | "rate"> = {};
  const perKey: NonNullable<LimitsOfKind["perKey"]> = {};
  for (const { limit, key } of concurrenciesOf(policies)) {
    (key === undefined ? all : perKey).concurrency = limit;
  }
  for (const { limit, perMs, key } of ratesOf(policies)) {
    (key === undefined ? all : perKey).rate = { limit, perMs };
  }
  const keyName = keyNameOf(policies);
  if (keyName !== undefined) perKey.keyName = keyName;
  const limits = { ...all, ...(isEmpty(perKey) ? {} : { perKey }) };
  return isEmpty(limits) ? undefined : limits;
}

/** Of all kinds that have any. */
export function limitsOfKinds(kinds: ReadonlyMap<string, PolicyFields>): Map<string, LimitsOfKind> {
  const limits = new Map<string, LimitsOfKind>();
  for (const [name, kind] of kinds) {
    const own = limitsOf(kind);
    if (own !== undefined) limits.set(name, own);
  }
  return limits;
}

/** The function that makes the key of a job. `undefined`: jobs of the kind have none. */
export function keyFunctionOf(policies: PolicyFields): Keyed<unknown>["key"] {
  const keyed = [...concurrenciesOf(policies), ...ratesOf(policies)];
  return keyed.find(({ key }) => key !== undefined)?.key;
}

/** The name of that key. */
export function keyNameOf(policies: PolicyFields): string | undefined {
  const keyed = [...concurrenciesOf(policies), ...ratesOf(policies)];
  return keyed.find(({ keyName }) => keyName !== undefined)?.keyName;
}

export function concurrenciesOf({ concurrency }: PolicyFields): readonly ConcurrencyLimit[] {
  return listOf(concurrency).map((each) => (typeof each === "number" ? { limit: each } : each));
}

export function ratesOf({ rateLimit }: PolicyFields): readonly RateLimitOf[] {
  return listOf(rateLimit);
}

function listOf<T>(given: T | readonly T[] | undefined): readonly T[] {
  if (given === undefined) return [];
  return isList(given) ? given : [given];
}

const isList = <T>(given: T | readonly T[]): given is readonly T[] => Array.isArray(given);

const isEmpty = (record: object): boolean => Object.keys(record).length === 0;
