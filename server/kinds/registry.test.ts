import { expect, test } from "vitest";
import { z } from "zod";
import { z as zod3 } from "zod/v3";
import { type AnyKind, defineKind, type Schema } from "./define.ts";
import { createKindRegistry, KindError } from "./registry.ts";

const kindOf = (name: string, input: Schema = z.object({}), output: Schema = z.null()) =>
  defineKind({ name, input, output, run: async () => null });

function refusalOf(kinds: readonly AnyKind[]): string {
  try {
    createKindRegistry(kinds);
  } catch (error) {
    if (error instanceof KindError) return error.message;
    throw error;
  }
  return "The kinds were registered.";
}

test("a registry has each kind by its name, and lists them as programs see them, in their order", () => {
  const input = z.object({ url: z.url(), width: z.int().default(100) });
  const output = z.object({ files: z.array(z.string()) });
  const kinds = [kindOf("thumbnails", input, output), kindOf("mail_2")];
  const registry = createKindRegistry(kinds);
  expect(registry.get("thumbnails")).toBe(kinds[0]);
  expect(registry.infos).toMatchObject([
    {
      name: "thumbnails",
      description: "",
      input: { type: "object", required: ["url"], properties: { width: { default: 100 } } },
      output: { type: "object", required: ["files"] },
    },
    { name: "mail_2" },
  ]);
});

test("[J16] two kinds of one name are refused, and the error names them", () => {
  expect(refusalOf([kindOf("mail"), kindOf("other"), kindOf("mail")])).toContain(
    'Two kinds have the name "mail"',
  );
});

test.each([
  "",
  "word-count",
  "two words",
  "1st",
  "_private",
  "__proto__",
  "a.b",
  "naïve",
  "mail\n",
  "a".repeat(101),
])("[J16] the name %j is refused, as it is no identifier", (name) => {
  expect(refusalOf([kindOf(name)])).toContain("A name begins with a letter");
});

test.each(["then", "call", "apply", "constructor", "toString", "hasOwnProperty", "prototype"])(
  "the name %s is refused, as objects have a use for it",
  (name) => {
    expect(refusalOf([kindOf(name)])).toContain(`"${name}"`);
  },
);

test.each<[what: string, name: unknown]>([
  ["no name", undefined],
  ["a name that is a number", 5],
])("a kind with %s is refused", (_what, name) => {
  expect(refusalOf([{ ...kindOf("mail"), name } as AnyKind])).toContain("A kind has the name");
});

test("a kind without `run` is refused", () => {
  const { run: _run, ...kind } = kindOf("mail");
  expect(refusalOf([kind as unknown as AnyKind])).toContain('"mail" has no function `run`');
});

test.each<[what: string, schema: Schema]>([
  ["a Date", z.object({ at: z.date() })],
  ["a bigint", z.bigint()],
  ["a Map", z.map(z.string(), z.string())],
  ["a schema that throws", z.lazy(() => expect.unreachable("no schema"))],
  ["no schema", null as unknown as Schema],
])(
  "[J16] %s that JSON Schema cannot express is refused, and the error names the kind",
  (_what, schema) => {
    expect(refusalOf([kindOf("fine"), kindOf("odd", schema)])).toContain('input of the kind "odd"');
    expect(refusalOf([kindOf("odd", z.object({}), schema)])).toContain('output of the kind "odd"');
    expect(refusalOf([{ ...kindOf("odd"), details: schema }])).toContain(
      'details of the kind "odd"',
    );
  },
);

test.each<[what: string, kinds: unknown, message: string]>([
  ["no list", undefined, "The kinds are no list."],
  ["one kind in place of a list", kindOf("mail"), "The kinds are no list."],
  ["a kind that is not there yet", [kindOf("mail"), undefined], "Kind 2 of the list is undefined."],
  ["a name in place of a kind", ["mail"], "Kind 1 of the list is string."],
])("[J16] %s is refused", (_what, kinds, message) => {
  expect(refusalOf(kinds as AnyKind[])).toContain(message);
});

test("an input may transform, as only the sent value needs a JSON Schema", () => {
  const input = z.object({ at: z.iso.datetime().pipe(z.transform((text) => new Date(text))) });
  expect(createKindRegistry([kindOf("dated", input)]).infos[0]?.input).toMatchObject({
    properties: { at: { type: "string" } },
  });
});

test.each([
  [z.date(), "z.iso.datetime()"],
  [z.bigint(), "z.int()"],
  [z.string().transform(Number), "in `run`"],
  [z.custom<string>(), "z.unknown()"],
  [z.map(z.string(), z.int()), "z.record"],
  [z.set(z.string()), "z.array"],
  [z.undefined(), "z.null()"],
  [z.void(), "z.null()"],
  [z.symbol(), "Use a schema of what is sent as JSON."],
])("[J16] an output that JSON Schema cannot express is refused, with advice %#", (type, advice) => {
  const refusal = refusalOf([kindOf("mail", z.object({}), z.object({ it: type }))]);
  expect(refusal).toMatch(/^The output of the kind "mail" has no JSON Schema: .*\. Use .*\.$/);
  expect(refusal).toContain(advice);
});

test.each([
  ["a schema of zod 3", zod3.object({})],
  ["the shape of an object", { url: z.string() }],
  ["a JSON Schema", { type: "object" }],
  ["nothing", undefined],
  ["null", null],
])("[J16] an input that is %s is refused", (_what, input) => {
  const kind = { ...kindOf("mail"), input } as unknown as AnyKind;
  expect(refusalOf([kind])).toContain('The input of the kind "mail" is no schema of zod 4.');
});
