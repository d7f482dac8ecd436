import { expect, test } from "vitest";
import { z } from "zod";
import { type Schema, simplified, skeletonOf } from "./json-schema.ts";

const schemaOf = (type: z.ZodType) => z.toJSONSchema(type, { io: "input" }) as Schema;
const skeleton = (type: z.ZodType) => skeletonOf(simplified(schemaOf(type)));

test.each([
  ["a nullable type", z.string().nullable(), { type: "string", nullable: true }],
  ["a type list", { type: ["integer", "null"] }, { type: "integer", nullable: true }],
  ["a literal", z.literal("a"), { enum: ["a"] }],
  [
    "alternatives of literals",
    z.union([z.literal("a"), z.enum(["b", "c"])]),
    { enum: ["a", "b", "c"] },
  ],
  ["alternatives of values and null", z.literal(1).nullable(), { enum: [1], nullable: true }],
  [
    "alternatives",
    z.union([z.string(), z.number()]),
    { anyOf: [{ type: "string" }, { type: "number" }] },
  ],
])("%s becomes one of the forms that the page knows", (_what, given, simple) => {
  const schema = given instanceof z.ZodType ? schemaOf(given) : given;
  expect(simplified(schema)).toMatchObject(simple);
});

test("references are replaced by their targets", () => {
  const size = z.enum(["small", "large"]).meta({ id: "Size", description: "How large" });
  const schema = schemaOf(z.object({ size: size.meta({ title: "Size" }), other: size }));
  expect(JSON.stringify(schema)).toContain("$ref");
  expect(simplified(schema).properties?.other).toMatchObject({
    enum: ["small", "large"],
    description: "How large",
  });
  expect(JSON.stringify(simplified(schema))).not.toContain("$ref");
});

test.each(["50%", "a/b", "a~b", "a b", "é", "%41", "constructor", "__proto__"])(
  "a reference to the schema with the id %j is replaced",
  (id) => {
    const named = z.enum(["one", "two"]).meta({ id });
    const { properties } = simplified(schemaOf(z.object({ first: named, second: named })));
    expect(properties?.second).toMatchObject({ enum: ["one", "two"] });
  },
);

test("references of RFC 6901 are replaced, encoded or not", () => {
  const $defs = { "a/b": { type: "string" }, "50%": { type: "integer" } };
  const typeOf = ($ref: string) => simplified({ $ref, $defs }).type;
  expect(["#/$defs/a~1b", "#/$defs/a%2Fb", "#/$defs/50%25", "#/$defs/50%"].map(typeOf)).toEqual([
    "string",
    "string",
    "integer",
    "integer",
  ]);
  expect(typeOf("#/$defs/constructor")).toBeUndefined();
});

test("a schema that contains itself ends, as does one with a reference to nothing", () => {
  const tree = z.object({
    name: z.string(),
    get children() {
      return z.array(tree);
    },
  });
  expect(simplified(schemaOf(tree)).properties?.children?.items).toMatchObject({ type: "object" });
  expect(simplified({ $ref: "#/$defs/nothing" })).toEqual({});
  expect(simplified({ $ref: "#" })).toEqual({});
});

test("a skeleton has what is needed, and is valid where the types allow it", () => {
  const type = z.object({
    url: z.string(),
    count: z.int().min(3),
    mode: z.enum(["fast", "slow"]),
    sizes: z.array(z.int()),
    flag: z.boolean(),
    inner: z.object({ name: z.string(), extra: z.string().optional() }),
    either: z.union([z.number(), z.string()]),
    standard: z.string().default("x"),
    left: z.string().optional(),
  });
  const made = skeleton(type);
  expect(made).toEqual({
    url: "",
    count: 3,
    mode: "fast",
    sizes: [],
    flag: false,
    inner: { name: "" },
    either: 0,
    standard: "x",
  });
  expect(type.safeParse(made).success).toBe(true);
});

test("the skeleton of a schema that tells nothing is an empty object, and an example goes first", () => {
  expect(skeleton(z.unknown())).toEqual({});
  expect(skeleton(z.record(z.string(), z.int()))).toEqual({});
  expect(skeleton(z.array(z.string()))).toEqual([]);
  expect(skeleton(z.unknown().meta({ examples: [{ a: 1 }] }))).toEqual({ a: 1 });
});
