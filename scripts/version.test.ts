import { expect, test } from "vitest";
import packageJson from "#package.json" with { type: "json" };
import { VERSION } from "#shared/version.ts";

test("the library sends the version of the package", () => {
  expect(VERSION).toBe(packageJson.version);
});
