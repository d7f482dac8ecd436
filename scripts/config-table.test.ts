import { expect, test } from "vitest";
import { z } from "zod";
import { application } from "#server/application.ts";
import { VARIABLES } from "#server/config.ts";
import { LIMITS } from "#server/limits/limits.ts";
import type { Variables } from "#shared/variables.ts";
import { configTable, limitsTable, tableIn } from "./config-table.ts";

test("each variable has a row, with its default or a description of it", () => {
  const schema = z.string();
  const table = configTable({
    PORT: { schema, default: "8000", about: "Where it listens." },
    MORE: { schema, default: "", about: "This | that." },
    API_KEY: { schema, unset: "not used", about: "A key." },
  });
  expect(table.split("\n")).toEqual([
    "| variable  | default  |                   |",
    "| --------- | -------- | ----------------- |",
    "| `PORT`    | `8000`   | Where it listens. |",
    "| `MORE`    | empty    | This \\| that.     |",
    "| `API_KEY` | not used | A key.            |",
  ]);
});

test("each limit has a row, with its variable and the default of that", () => {
  const table = limitsTable(LIMITS, VARIABLES);
  for (const [name, { variable }] of Object.entries(LIMITS)) {
    const row = table.split("\n").find((line) => line.startsWith(`| \`${name}\` `));
    expect(row).toContain(`\`${variable}\``);
    expect(row).toContain(Number(VARIABLES[variable].default).toLocaleString("en"));
  }
});

test("every variable of the server has a sentence that describes it", () => {
  const variables: Variables = { ...VARIABLES, ...application.variables };
  for (const [name, variable] of Object.entries(variables)) {
    expect([name, variable.about]).toEqual([name, expect.stringMatching(/^[A-Z].*\.$/)]);
    expect([name, "default" in variable || "unset" in variable]).toEqual([name, true]);
  }
});

test("the table is found between its markers, and a text without them has none", () => {
  expect(tableIn("a\n<!-- config -->\n\n| x |\n\n<!-- /config -->\nb")).toBe("| x |");
  expect(tableIn("a <!-- /config --> <!-- config --> b")).toBeUndefined();
  expect(tableIn("")).toBeUndefined();
  expect(
    tableIn("<!-- config -->a<!-- /config --><!-- limits -->b<!-- /limits -->", "limits"),
  ).toBe("b");
});
