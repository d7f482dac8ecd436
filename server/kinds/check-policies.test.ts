import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { type AnyKind, defineKind } from "./define.ts";
import { limitsOf, type PolicyFields } from "./policies.ts";
import { createKindRegistry, KindError } from "./registry.ts";

const base = { name: "mail", input: z.object({ customer: z.string() }), output: z.null() };
const run = async () => null;

function refusalOf(policies: unknown): string {
  try {
    createKindRegistry([{ ...defineKind({ ...base, run }), ...(policies as object) }]);
  } catch (error) {
    if (error instanceof KindError) return error.message;
    throw error;
  }
  return "The kind was registered.";
}

const key = () => "a";
const rated = { limit: 1, perMs: 1, key };
test.each<[policies: unknown, refusal: string]>([
  [{ retry: 3 }, "`retry` 3. Give an object."],
  [{ retry: null }, "`retry` null. Give an object."],
  [{ retry: { maxAttempts: 0 } }, "`retry.maxAttempts` 0. Give a whole number from 1 to 100."],
  [{ retry: { maxAttempts: 101 } }, "`retry.maxAttempts` 101. Give a whole number from 1 to 100."],
  [{ retry: { maxAttempts: 2.5 } }, "`retry.maxAttempts` 2.5. Give a whole number"],
  [{ retry: { maxAttempts: NaN } }, "`retry.maxAttempts` NaN. Give a whole number"],
  [{ retry: { maxAttempts: "3" } }, "`retry.maxAttempts` a value of type string. Give a whole"],
  [{ retry: { attempts: 3 } }, "`retry.attempts`, which is no policy. Correct the name"],
  [{ retry: { backoff: { first: 1 } } }, "`retry.backoff.first`, which is no policy."],
  [
    { retry: { backoff: { firstMs: -1 } } },
    "`retry.backoff.firstMs` -1. Give a whole number from 0",
  ],
  [
    { retry: { backoff: { factor: 0.5 } } },
    "`retry.backoff.factor` 0.5. Give a number from 1 to 100.",
  ],
  [{ retry: { backoff: { jitter: 2 } } }, "`retry.backoff.jitter` 2. Give a number from 0 to 1."],
  [{ retry: { backoff: { maxMs: 3_600_001 } } }, "Give a whole number from 0 to 3,600,000."],
  [{ retry: { backoff: { maxMs: 10 } } }, "`retry.backoff.maxMs` 10. Give at least firstMs, 1000."],
  [
    { retry: { afterTimeLimit: "yes" } },
    "`retry.afterTimeLimit` a value of type string. Give true",
  ],
  [{ retry: { afterTimeLimit: true } }, "Give the kind a `timeLimitMs`, or leave this out."],
  [{ timeLimitMs: 0 }, "`timeLimitMs` 0. Give a whole number from 1 to 604,800,000."],
  [{ timeLimitMs: Infinity }, "`timeLimitMs` Infinity. Give a whole number"],
  [{ retentionDays: -1 }, "`retentionDays` -1. Give a whole number from 0 to 36,500."],
  [{ priority: 10 }, "`priority` 10. Give a whole number from 0 to 9."],
  [{ concurrency: 0 }, "`concurrency[0].limit` 0. Give a whole number from 1 to 1,000,000."],
  [{ concurrency: "many" }, "`concurrency[0]` a value of type string. Give an object."],
  [{ concurrency: { limit: 1, keys: key } }, "`concurrency[0].keys`, which is no policy."],
  [{ concurrency: { limit: 1, key: "customer" } }, "`concurrency[0].key` a value of type string"],
  [{ concurrency: [1, 2] }, "several limits in `concurrency`. Give one without a key"],
  [{ rateLimit: 5 }, "`rateLimit[0]` 5. Give an object."],
  [{ rateLimit: { limit: 1 } }, "`rateLimit[0].perMs` undefined. Give a whole number from 1 to"],
  [{ rateLimit: { limit: 1, perMs: 86_400_001 } }, "Give a whole number from 1 to 86,400,000."],
  [{ rateLimit: { limit: 1001, perMs: 1 } }, "Give at most 1000 a millisecond."],
  [
    {
      rateLimit: [
        { limit: 1, perMs: 1, key },
        { limit: 2, perMs: 1, key },
      ],
    },
    "several limits in `rateLimit`.",
  ],
  [
    { concurrency: { limit: 1, key }, rateLimit: { limit: 1, perMs: 1, key: () => "a" } },
    "two functions `key`. Give its `concurrency` and its `rateLimit` the same function.",
  ],
  [{ concurrency: { limit: 1, keyName: "customer" } }, "a `keyName` without a `key`."],
  [
    { concurrency: { limit: 1, key, keyName: "a" }, rateLimit: { ...rated, keyName: "b" } },
    "two names `keyName` of one key.",
  ],
  ...["", " a", "a\nb", "x".repeat(51)].map((keyName): [PolicyFields, string] => [
    { concurrency: { limit: 1, key, keyName } },
    "`concurrency[0].keyName` a value of type string. Give a line of 1 to 50 characters.",
  ]),
])("[E10] the policies %j are refused, and the error names the kind", (policies, refusal) => {
  expect(refusalOf(policies)).toContain(refusal);
  expect(refusalOf(policies)).toMatch(/^The kind "mail" has /);
});

const customer = (input: { customer: string }) => input.customer;
const full = defineKind({
  ...base,
  run,
  retry: { maxAttempts: 5, backoff: { firstMs: 100_000, jitter: 0 }, afterTimeLimit: false },
  timeLimitMs: 60_000,
  retentionDays: 0,
  priority: 9,
  concurrency: [5, { limit: 1, key: customer, keyName: "customer" }],
  rateLimit: { limit: 10, perMs: 1000, key: customer },
});

test("[E10] kind.list shows the policies that a kind has, without their functions", () => {
  const plain = defineKind({ ...base, name: "plain", run });
  const [info, other] = createKindRegistry([full, plain]).infos;
  expect(info?.policies).toEqual({
    retry: {
      maxAttempts: 5,
      backoff: { firstMs: 100_000, factor: 2, maxMs: 100_000, jitter: 0 },
      afterTimeLimit: false,
    },
    timeLimitMs: 60_000,
    retentionDays: 0,
    priority: 9,
    limits: {
      concurrency: 5,
      perKey: { concurrency: 1, rate: { limit: 10, perMs: 1000 }, keyName: "customer" },
    },
  });
  expect(other).not.toHaveProperty("policies");
});

test.each<[PolicyFields, unknown]>([
  [{}, undefined],
  [{ concurrency: [] }, undefined],
  [{ concurrency: 3 }, { concurrency: 3 }],
  [{ concurrency: { limit: 2, key } }, { perKey: { concurrency: 2 } }],
  [{ rateLimit: { limit: 2, perMs: 5 } }, { rate: { limit: 2, perMs: 5 } }],
  [
    { rateLimit: { ...rated, keyName: "a" } },
    { perKey: { rate: { limit: 1, perMs: 1 }, keyName: "a" } },
  ],
])("the limits of the policies %j are those of an engine", (policies, limits) => {
  expect(limitsOf(policies)).toEqual(limits);
});

test("the compiler gives `key` the type of the stored input", () => {
  const kind: AnyKind = defineKind({
    ...base,
    input: z.object({ at: z.date().or(z.iso.datetime().pipe(z.coerce.date())) }),
    concurrency: [
      2,
      {
        limit: 1,
        key({ at }) {
          expectTypeOf(at).toBeString();
          return at;
        },
      },
    ],
    run,
  });
  expect(kind.name).toBe("mail");
  // @ts-expect-error A key is text.
  defineKind({ ...base, rateLimit: { limit: 1, perMs: 1, key: () => 5 }, run });
  // @ts-expect-error There is no such policy.
  defineKind({ ...base, retry: { attempts: 3 }, run });
});
