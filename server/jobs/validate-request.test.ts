import { expect, test } from "vitest";
import { z } from "zod";
import { type AnyKind, defineKind, delivered } from "#server/kinds/define.ts";
import { createKindRegistry } from "#server/kinds/registry.ts";
import { AppError } from "#shared/errors.ts";
import { createRequestValidator } from "./validate-request.ts";

const greet = defineKind({
  name: "greet",
  description: "Greets.",
  input: z.object({
    whom: z.string().min(2, "Must have 2 letters at least"),
    times: z.int().max(5).default(1),
    at: z.object({ input: z.string() }).optional(),
  }),
  output: z.unknown(),
  title: ({ whom, times }) => `Greet ${whom} ${times}x`,
  start: { progress: 0, message: "Begun" },
  run: async () => delivered("Done", null),
});
const validator = createRequestValidator(new Map([["greet", greet]]));

async function refused(validate: () => unknown): Promise<AppError> {
  try {
    await validate();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("It was let in.");
}

test("a valid input is accepted as the kind parses it, with a title", async () => {
  expect(validator.one({ kind: "greet", input: { whom: "Ann", extra: true } })).toEqual({
    kind: "greet",
    title: "Greet Ann 1x",
    input: { whom: "Ann", times: 1 },
  });
});

test("an unknown kind is not found, and the known ones are named", async () => {
  for (const kind of ["nope", "constructor", ""]) {
    const { code, message } = await refused(() => validator.one({ kind, input: {} }));
    expect(code).toBe("NOT_FOUND");
    expect(message).toBe(`There is no kind "${kind}". Known kinds: greet.`);
  }
});

test("without any kind, each is refused, and the message says that there is none", async () => {
  const empty = createRequestValidator(createKindRegistry([]));
  const { code, message } = await refused(() => empty.one({ kind: "greet", input: {} }));
  expect(code).toBe("NOT_FOUND");
  expect(message).toBe('There is no kind "greet". This server has none.');
  expect(await refused(() => empty.all([{ kind: "greet", input: {} }]))).toMatchObject({
    code: "BAD_REQUEST",
    issues: [{ path: ["jobs", 0, "kind"], message }],
  });
});

test("a malformed input is refused with each field", async () => {
  const input = { whom: "A", times: 9, at: { input: 1 } };
  const { code, message, issues } = await refused(() => validator.one({ kind: "greet", input }));
  expect(code).toBe("BAD_REQUEST");
  expect(issues.map(({ path }) => path.join("."))).toEqual([
    "input.whom",
    "input.times",
    "input.at.input",
  ]);
  expect(message).toContain(
    'The input is not what "greet" takes. whom: Must have 2 letters at least. ',
  );
  expect(message).toContain(" at.input: ");
});

test("an input that is no object at all is refused as a whole", async () => {
  for (const input of [undefined, null, 5, "text", []]) {
    const { message, issues } = await refused(() => validator.one({ kind: "greet", input }));
    expect(issues).toHaveLength(1);
    expect(issues[0]?.path).toEqual(["input"]);
    expect(message).toContain("takes. input: Invalid input");
  }
});

test("[B1] a batch is let in whole, in its order", async () => {
  const rows = ["Ann", "Bob", "Cid"].map((whom) => ({ kind: "greet", input: { whom } }));
  expect((await validator.all(rows)).map(({ title }) => title)).toEqual([
    "Greet Ann 1x",
    "Greet Bob 1x",
    "Greet Cid 1x",
  ]);
});

test("[B1] a batch with bad rows is refused whole, each named with its line", async () => {
  const good = { kind: "greet", input: { whom: "Ann" } };
  const rows = [good, { kind: "nope", input: {} }, good, { kind: "greet", input: { whom: "B" } }];
  const { code, message, issues } = await refused(() => validator.all(rows));
  expect(code).toBe("BAD_REQUEST");
  expect(message.split("\n")).toEqual([
    "2 of 4 rows cannot be used, so none was stored.",
    'Row 2: kind: There is no kind "nope". Known kinds: greet.',
    "Row 4: whom: Must have 2 letters at least.",
  ]);
  expect(issues.map(({ path }) => path)).toEqual([
    ["jobs", 1, "kind"],
    ["jobs", 3, "input", "whom"],
  ]);
});

test("[B1] where very many rows are bad, the message names the first 20 and the fields are all there", async () => {
  const rows = Array.from({ length: 10_000 }, () => ({ kind: "greet", input: {} }));
  const { message, issues } = await refused(() => validator.all(rows));
  const lines = message.split("\n");
  expect(lines).toHaveLength(22);
  expect(lines.at(-1)).toBe("And 9980 more.");
  expect(issues).toHaveLength(10_000);
});

/** A kind that takes anything, but for what it does otherwise. */
function admissionOf(odd: object) {
  const kind = { ...greet, input: z.unknown(), title: () => "Odd", ...odd } as AnyKind;
  return createRequestValidator(new Map([["odd", kind]]));
}

const refuse = () => {
  throw Object.create(null) as Error;
};
/** The policies of a kind whose jobs have keys. */
const keyed = (key: unknown) => ({ rateLimit: { limit: 1, perMs: 1, key } });
const MB = "x".repeat(1_000_000);

test("[H11] an input is taken up to 256 KiB as JSON, and refused with its size and the limit", async () => {
  const odd = admissionOf({});
  const fits = "é".repeat((256 * 1024 - 2) / 2);
  expect(odd.one({ kind: "odd", input: fits }).input).toBe(fits);
  const { code, message, issues } = await refused(() =>
    odd.one({ kind: "odd", input: `${fits}x` }),
  );
  expect(code).toBe("BAD_REQUEST");
  expect(message).toContain("has 262,145 bytes as JSON; the limit is 262,144 bytes");
  expect(issues).toMatchObject([{ path: ["input"] }]);
});

test("[B1] rows that are too large are named with their size, and none is stored", async () => {
  const rows = [1, MB, 2, MB].map((input) => ({ kind: "odd", input }));
  const { code, message, issues } = await refused(() => admissionOf({}).all(rows));
  expect(code).toBe("BAD_REQUEST");
  expect(message.split("\n").slice(1)).toEqual([
    "Row 2: input: It has 1,000,002 bytes as JSON; the limit is 262,144 bytes.",
    "Row 4: input: It has 1,000,002 bytes as JSON; the limit is 262,144 bytes.",
  ]);
  expect(issues.map(({ path }) => path)).toEqual([
    ["jobs", 1, "input"],
    ["jobs", 3, "input"],
  ]);
});

test("[H11] an input nested a million levels deep, or in itself, is refused and overflows no stack", async () => {
  const deep = JSON.parse(`${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`) as unknown;
  const circle: unknown[] = [];
  circle.push(circle, circle);
  for (const input of [deep, circle]) {
    const { code, message } = await refused(() => admissionOf({}).one({ kind: "odd", input }));
    expect(code).toBe("BAD_REQUEST");
    expect(message).toContain("deeper than the limit of 100 levels");
  }
});

test("one text that an input contains very many times is refused before it is written out", async () => {
  const input = Array.from({ length: 100_000 }, () => MB);
  const { message } = await refused(() => admissionOf({}).one({ kind: "odd", input }));
  expect(message).toContain("more than 67,108,864 bytes");
});

function circle(): unknown {
  const round: unknown[] = [];
  round.push(round);
  return round;
}

test.each<[string, () => unknown, string]>([
  ["larger", () => MB, "1,000,002 bytes"],
  ["a bigint", () => 1n, "cannot be written as JSON"],
  ["a function", () => () => 1, "it is a function"],
  ["in itself", circle, "contains itself"],
  [
    "with a getter that throws",
    () => ({
      get a() {
        return refuse();
      },
    }),
    "cannot be written as JSON",
  ],
])("an input that its kind makes %s is refused", async (_what, transform, text) => {
  const odd = admissionOf({ input: z.unknown().transform(transform) });
  const { code, message } = await refused(() => odd.one({ kind: "odd", input: 1 }));
  expect(code).toBe("BAD_REQUEST");
  expect(message).toContain(text);
});

test("[J13] an input that its kind makes no JSON of is refused with the path, alone and in a batch", async () => {
  const odd = admissionOf({
    input: z.unknown().transform(() => ({ list: [0, { constructor: new Map() }] })),
  });
  const request = { kind: "odd", input: 1 };
  const message =
    "It cannot be written as JSON: it is an object of the class Map, and no plain object.";
  const path = ["input", "list", 1, "constructor"];
  const alone = await refused(() => odd.one(request));
  expect(alone).toMatchObject({ code: "BAD_REQUEST", issues: [{ path, message }] });
  expect(alone.message).toContain(`list.1.constructor: ${message}`);
  expect(await refused(() => odd.all([request]))).toMatchObject({
    code: "BAD_REQUEST",
    issues: [{ path: ["jobs", 0, ...path], message }],
  });
});

test.each([
  ["a Map", z.string().transform((text) => new Map([[text, 1]]))],
  ["a Set", z.string().transform((text) => new Set([text]))],
  ["an expression", z.string().transform((text) => new RegExp(text))],
])("[J13] an input of which the schema makes %s is refused with its path", async (_what, d) => {
  const odd = admissionOf({ input: z.object({ d }) });
  const { code, message } = await refused(() => odd.one({ kind: "odd", input: { d: "a" } }));
  expect(code).toBe("BAD_REQUEST");
  expect(message).toContain("takes. d: It ");
});

test.each([
  ["a coerced date", z.coerce.date(), "2026-01-01"],
  ["a client's date", z.date(), new Date("2026-01-01")],
  ["a date of a day", z.iso.date().transform((text) => new Date(text)), "2026-01-01"],
])("[J13] of %s the text is stored", (_what, d, given) => {
  const odd = admissionOf({ input: z.object({ d }) });
  expect(odd.one({ kind: "odd", input: { d: given } }).input).toEqual({
    d: "2026-01-01T00:00:00.000Z",
  });
});

test("[J14] a key with half of a surrogate pair is named in a sentence", async () => {
  const odd = admissionOf({ input: z.unknown() });
  const { message } = await refused(() => odd.one({ kind: "odd", input: { "\udc00": 1 } }));
  expect(message).toContain(
    "input: It has a key that has half of a surrogate pair: send well-formed Unicode.",
  );
});

test("an input that is no JSON is a matter of its kind, which may make JSON of it", async () => {
  const odd = admissionOf({ input: z.bigint().transform(String) });
  expect(odd.one({ kind: "odd", input: 5n }).input).toBe("5");
});

test.each([
  ["whose check throws", { input: z.unknown().refine(refuse) }, "`input` failed"],
  ["whose transform throws", { input: z.unknown().transform(refuse) }, "`input` failed"],
  [
    "whose check is asynchronous",
    { input: z.unknown().refine(async () => true) },
    "`input` failed. It is asynchronous",
  ],
  ["without a schema", { input: undefined }, "`input` failed"],
  ["whose schema is none", { input: { safeParse: () => undefined } }, "`input` failed"],
  ["whose title throws", { title: refuse }, "`title` failed"],
  ["whose title is no text", { title: () => null }, "`title` failed. It gave no text"],
  ["without a title", { title: undefined }, "`title` failed"],
  ["whose key throws", keyed(refuse), "`key` failed"],
  ["whose key is no text", keyed(() => 5), "`key` failed. It gave no text but number"],
  ["whose key is null", keyed(() => null), "`key` failed. It gave no text but object"],
  ["whose key is asynchronous", keyed(async () => "a"), "`key` failed. It gave no text"],
])("[H6] [E14] a kind %s is a fault of ours, and is not the caller's", async (_what, odd, text) => {
  for (const validate of [
    () => admissionOf(odd).one({ kind: "odd", input: 1 }),
    () => admissionOf(odd).all([{ kind: "odd", input: 1 }]),
  ]) {
    const { code, message, cause } = await refused(validate);
    expect(code).toBe("INTERNAL");
    expect(message).toContain(`The kind "odd" cannot take a job: its ${text}`);
    expect(cause).toBeInstanceOf(Error);
  }
});

test.each([
  ["too long", MB, "has 1000000 characters: 200 are allowed"],
  ["ill-formed", "\ud800", "Unicode"],
])(
  "[E14] an input whose key is %s is refused, and the caller reads why",
  async (_what, key, text) => {
    const odd = admissionOf(keyed(() => key));
    const { code, message } = await refused(() => odd.one({ kind: "odd", input: 1 }));
    expect(code).toBe("BAD_REQUEST");
    expect(message).toContain("It makes a key for the limits of the kind that");
    expect(message).toContain(text);
    const rows = [{ kind: "odd", input: 1 }];
    expect((await refused(() => odd.all(rows))).issues).toMatchObject([
      { path: ["jobs", 0, "input"] },
    ]);
  },
);

test("[E14] a key is made of the stored input, and a job without one has none", () => {
  const odd = admissionOf({
    ...keyed((input: string) => (input === "none" ? undefined : input)),
    input: z.string().trim(),
  });
  const keyOf = (input: string) => odd.one({ kind: "odd", input }).key;
  expect(["  a ", "none", "", "x".repeat(200)].map(keyOf)).toEqual([
    "a",
    undefined,
    "",
    "x".repeat(200),
  ]);
  expect(admissionOf({ concurrency: 5 }).one({ kind: "odd", input: 1 }).key).toBeUndefined();
});

test("a kind that never takes anything refuses as any other", async () => {
  const never = z.unknown().transform((_input, context) => {
    context.addIssue("Not today");
    return z.NEVER;
  });
  const { code, message } = await refused(() =>
    admissionOf({ input: never }).one({ kind: "odd", input: 1 }),
  );
  expect(code).toBe("BAD_REQUEST");
  expect(message).toContain("Not today");
});

test("[H11] a title is cut", async () => {
  const { title } = admissionOf({ title: () => MB }).one({ kind: "odd", input: 1 });
  expect(title).toBe(`${"x".repeat(299)}…`);
});

test("an input with very many faults has the first named and the others counted", async () => {
  const odd = admissionOf({ input: z.array(z.string()) });
  const input = Array.from({ length: 100_000 }, () => 1);
  const { message, issues } = await refused(() => odd.one({ kind: "odd", input }));
  expect(issues).toHaveLength(21);
  expect(message).toMatch(/And 99980 more\.$/);
  expect(message.length).toBeLessThan(10_000);
});

test("[B1] rows with very many faults, or with endless keys, do not make an endless answer", async () => {
  const odd = admissionOf({ input: z.record(z.string(), z.string()) });
  const rows = Array.from({ length: 100 }, () => ({
    kind: "odd",
    input: { ["k".repeat(200_000)]: 1 },
  }));
  const { message, issues } = await refused(() => odd.all(rows));
  expect(message.length).toBeLessThan(10_000);
  expect(JSON.stringify(issues).length).toBeLessThan(100_000);
});
