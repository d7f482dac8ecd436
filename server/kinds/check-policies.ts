/** The bounds of a kind's policies. */
import { z } from "zod";
import { cutText } from "#shared/cut-text.ts";
import type { KindPolicies } from "#shared/kind-policies.ts";
import { MAX_ISSUE_CHARS, MAX_PRIORITY, MAX_DELAY_MS } from "#shared/limits.ts";
import { KindError } from "./kind-error.ts";
import {
  backoffOf,
  concurrenciesOf,
  keyFunctionOf,
  keyNameOf,
  limitsOf,
  type PolicyFields,
  ratesOf,
} from "./policies.ts";

const MOST_ATTEMPTS = 100;
/** A week. Node's timers count to 24 days. */
const LONGEST_ATTEMPT_MS = 7 * 86_400_000;
/** As of `RETENTION_DAYS`. */
const MOST_DAYS = 36_500;
const LARGEST_FACTOR = 100;
const LARGEST_LIMIT = 1_000_000;
/** Rates of more than a day would be forgotten before they mean anything: an embedded engine forgets them at a restart. */
const LONGEST_RATE_MS = 86_400_000;

const MOST_NAME_CHARS = 50;
const ADVICE_OF_NAME = `Give a line of 1 to ${MOST_NAME_CHARS} characters`;

/** Engines count starts in whole microseconds. */
const MOST_A_MS = 1000;

const number = (from: number, to: number) => {
  const error = `Give a number from ${grouped(from)} to ${grouped(to)}`;
  return z.number({ error }).min(from, { error }).max(to, { error }).optional();
};
const whole = (from: number, to: number) => {
  const error = `Give a whole number from ${grouped(from)} to ${grouped(to)}`;
  return z.int({ error }).min(from, { error }).max(to, { error });
};

const Backoffs = z.strictObject({
  firstMs: whole(0, MAX_DELAY_MS).optional(),
  factor: number(1, LARGEST_FACTOR),
  maxMs: whole(0, MAX_DELAY_MS).optional(),
  jitter: number(0, 1),
});
const Policies = z.object({
  retry: z
    .strictObject({
      maxAttempts: whole(1, MOST_ATTEMPTS).optional(),
      backoff: Backoffs.optional(),
      afterTimeLimit: z.boolean({ error: "Give true or false" }).optional(),
    })
    .optional(),
  timeLimitMs: whole(1, LONGEST_ATTEMPT_MS).optional(),
  retentionDays: whole(0, MOST_DAYS).optional(),
  priority: whole(0, MAX_PRIORITY).optional(),
});
const limit = whole(1, LARGEST_LIMIT);
const key = z
  .unknown()
  .refine((given) => given === undefined || typeof given === "function", "Give a function")
  .optional();
const keyName = z
  .string({ error: ADVICE_OF_NAME })
  .max(MOST_NAME_CHARS, ADVICE_OF_NAME)
  .regex(/^(?!\s)[^\p{Cc}\p{Zl}\p{Zp}]+(?<!\s)$/u, ADVICE_OF_NAME)
  .optional();
const Limits = z.object({
  concurrency: z.array(z.strictObject({ limit, key, keyName })),
  rateLimit: z.array(z.strictObject({ limit, perMs: whole(1, LONGEST_RATE_MS), key, keyName })),
});

/** Throws a `KindError` for a policy that no kind can have. Returns them as programs see them; `undefined`: there are none. */
export function checkPolicies(kind: string, fields: PolicyFields): KindPolicies | undefined {
  assertFits(kind, Policies, fields);
  const { retry, timeLimitMs, retentionDays, priority } = fields;
  const backoff = retry?.backoff && backoffOf(fields);
  if (backoff !== undefined && backoff.firstMs > backoff.maxMs) {
    const { firstMs, maxMs } = backoff;
    throw refusal(kind, "retry.backoff.maxMs", maxMs, `Give at least firstMs, ${firstMs}`);
  }
  if (retry?.afterTimeLimit === true && timeLimitMs === undefined) {
    const advice = "Give the kind a `timeLimitMs`, or leave this out";
    throw refusal(kind, "retry.afterTimeLimit", true, advice);
  }
  checkLimits(kind, fields);
  const limits = limitsOf(fields);
  const { maxAttempts, afterTimeLimit } = { ...retry };
  const shownRetry = given({ maxAttempts, backoff, afterTimeLimit });
  return given({ retry: shownRetry, timeLimitMs, retentionDays, priority, limits });
}

function checkLimits(kind: string, fields: PolicyFields): void {
  const lists = { concurrency: concurrenciesOf(fields), rateLimit: ratesOf(fields) };
  assertFits(kind, Limits, lists);
  for (const [policy, list] of Object.entries(lists)) {
    const keyed = list.filter((each) => each.key !== undefined).length;
    if (keyed > 1 || list.length - keyed > 1) {
      throw new KindError(
        `The kind "${kind}" has several limits in \`${policy}\`. Give one without a key, one with a key, or one of both.`,
      );
    }
  }
  for (const { limit: most, perMs } of lists.rateLimit) {
    if (most <= perMs * MOST_A_MS) continue;
    throw refusal(kind, "rateLimit.limit", most, `Give at most ${MOST_A_MS} a millisecond`);
  }
  const name = keyNameOf(fields);
  const named = Object.values(lists)
    .flat()
    .filter((each) => each.keyName !== undefined);
  if (named.some((each) => each.key === undefined)) {
    throw new KindError(
      `The kind "${kind}" has a \`keyName\` without a \`key\`. Give both, or none.`,
    );
  }
  if (named.some((each) => each.keyName !== name)) {
    throw new KindError(
      `The kind "${kind}" has two names \`keyName\` of one key. Give its \`concurrency\` and its \`rateLimit\` the same name.`,
    );
  }
  const one = keyFunctionOf(fields);
  if ([...lists.concurrency, ...lists.rateLimit].some((each) => each.key && each.key !== one)) {
    throw new KindError(
      `The kind "${kind}" has two functions \`key\`. Give its \`concurrency\` and its \`rateLimit\` the same function.`,
    );
  }
}

function assertFits(kind: string, schema: z.ZodType, fields: object): void {
  const [issue] = schema.safeParse(fields).error?.issues ?? [];
  if (issue === undefined) return;
  const path = issue.path
    .map(String)
    .join(".")
    .replace(/\.(\d+)\b/g, "[$1]");
  if (issue.code === "unrecognized_keys") {
    const name = cutText(String(issue.keys[0]), MAX_ISSUE_CHARS);
    throw new KindError(
      `The kind "${kind}" has \`${path}.${name}\`, which is no policy. Correct the name, or leave it out.`,
    );
  }
  const value = issue.path.reduce<unknown>(
    (part, name) => (part as Record<PropertyKey, unknown>)[name],
    fields,
  );
  const advice = issue.message.startsWith("Give") ? issue.message : "Give an object";
  throw refusal(kind, path, value, advice);
}

function refusal(kind: string, path: string, value: unknown, advice: string): KindError {
  const isPlain = ["number", "boolean", "undefined"].includes(typeof value);
  const shown = isPlain
    ? String(value)
    : value === null
      ? "null"
      : `a value of type ${typeof value}`;
  return new KindError(`The kind "${kind}" has \`${path}\` ${shown}. ${advice}.`);
}

/** Without the fields that are `undefined`; `undefined`: there are no others. */
function given<T extends object>(
  fields: T,
): { [K in keyof T]: Exclude<T[K], undefined> } | undefined {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as never);
}

function grouped(count: number): string {
  return count.toLocaleString("en");
}
