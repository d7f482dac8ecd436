import { expect, test } from "vitest";
import { z } from "zod";
import type { Schema } from "#shared/json-schema.ts";
import { readCsvInputs } from "./inputs.ts";

const schemaOf = (type: z.ZodType) => z.toJSONSchema(type, { io: "input" }) as Schema;

/** The input of a row with one cell, or its fault. */
function read(type: z.ZodType, cell: string): unknown {
  const quoted = `"${cell.replaceAll('"', '""')}"`;
  const { rows, faults } = readCsvInputs(
    `value,n\n${quoted},1\n`,
    schemaOf(z.object({ value: type, n: z.int() })),
  );
  return faults.length > 0 ? faults : rows[0]?.input.value;
}

test.each([
  [z.string(), "007", "007"],
  [z.int(), "007", 7],
  [z.number(), " 1.5 ", 1.5],
  [z.boolean(), "Yes", true],
  [z.boolean(), "0", false],
  [z.enum(["a", "b"]), "b", "b"],
  [z.literal([1, 2]), "2", 2],
  [z.array(z.int()), "1; 2;", [1, 2]],
  [z.array(z.string()), '["a;b"]', ["a;b"]],
  [z.union([z.string(), z.int()]), "12", 12],
  [z.union([z.string(), z.int()]), "twelve", "twelve"],
  [z.int().nullable(), "3", 3],
  [z.record(z.string(), z.int()), '{"a":1}', { a: 1 }],
  [z.iso.date(), "2027-01-31", "2027-01-31"],
])("%# reads %j as the schema says", (type, cell, value) => {
  expect(read(type, cell)).toEqual(value);
});

test.each([
  [z.int(), "1.5", "Line 2: value: “1.5” is not a whole number."],
  [z.boolean(), "maybe", "Line 2: value: “maybe” is neither true nor false."],
  [z.enum(["a", "b"]), "c", "Line 2: value: “c” is none of a, b."],
  [z.array(z.int()), "1;x", "Line 2: value: “x” is not a whole number."],
  [z.record(z.string(), z.int()), "a=1", "Line 2: value: Is not JSON"],
])("%# names what is wrong in %j", (type, cell, fault) => {
  expect(read(type, cell)).toEqual([expect.stringContaining(fault) as string]);
});

test("an empty cell leaves its value out, and a column is found by name, title or a nested name", () => {
  const schema = schemaOf(
    z.object({
      firstName: z.string().meta({ title: "Given name" }),
      at: z.object({ city: z.string(), zip: z.int().optional() }).optional(),
      note: z.string().optional(),
    }),
  );
  const { rows, faults } = readCsvInputs(
    "given NAME;AT.CITY;at_zip;note\nAnn;Oslo;;\nBo;;;x\n",
    schema,
  );
  expect(faults).toEqual([]);
  expect(rows).toEqual([
    { line: 2, input: { firstName: "Ann", at: { city: "Oslo" } } },
    { line: 3, input: { firstName: "Bo", note: "x" } },
  ]);
});

test("a property may have any name", () => {
  const properties = JSON.parse(
    '{"__proto__":{"type":"string"},"constructor":{"type":"integer"}}',
  ) as Schema["properties"];
  const { rows } = readCsvInputs("__proto__,constructor\na,1\n", {
    type: "object",
    properties: properties ?? {},
  });
  expect(JSON.stringify(rows[0]?.input)).toBe('{"__proto__":"a","constructor":1}');
  expect({}).not.toHaveProperty("a");
});

test.each([
  ["", "The file is empty."],
  ["first\na\n", "Line 1: The file needs the columns “second” too."],
])("says what %j lacks", (text, fault) => {
  const schema = schemaOf(z.object({ first: z.string(), second: z.int() }));
  expect(readCsvInputs(text, schema)).toEqual({ rows: [], faults: [fault] });
});

test("an input without named values has no columns", () => {
  expect(readCsvInputs("a\n1\n", schemaOf(z.string())).faults).toEqual([
    "The input of this kind has no named values that columns could hold.",
  ]);
});
