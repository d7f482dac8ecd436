import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { assertNode, OLDEST_NODE } from "./node-version.ts";

test.each(["18.0.0", "20.20.2", "22.23.3", "23.9.9"])("Node %s is refused by name", (version) => {
  expect(() => assertNode(version)).toThrow(
    `Jobwire needs Node ${OLDEST_NODE} or newer. This is Node ${version}.`,
  );
});

test.each(["24.0.0", "26.1.0", "100.0.0", undefined])("Node %s is accepted", (version) => {
  expect(() => assertNode(version)).not.toThrow();
});

test("the oldest Node is that of package.json", () => {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const { engines } = JSON.parse(text) as { engines: { node: string } };
  expect(engines.node).toBe(`>=${OLDEST_NODE}`);
});
