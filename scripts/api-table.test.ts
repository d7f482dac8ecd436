import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { routesTable, withoutRouteTable } from "./api-table.ts";
import { tableIn } from "./config-table.ts";

test("docs/http.md has the tables that `node scripts/api-table.ts` prints", () => {
  const page = readFileSync("docs/http.md", "utf8");
  expect(tableIn(page, "routes")).toBe(routesTable());
  expect(tableIn(page, "without-route")).toBe(withoutRouteTable());
});
