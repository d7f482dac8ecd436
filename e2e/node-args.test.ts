/** Every way to start the program passes the same options to Node. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import pkg from "#package.json" with { type: "json" };
import { NODE_ARGS } from "./node-args.ts";

test("workers and the image start the program as `npm start` does", () => {
  expect(NODE_ARGS).toEqual(["--max-semi-space-size=8"]);
  const command = ["node", ...NODE_ARGS, "server/main.ts"];
  expect(pkg.scripts.worker).toBe([...command, "worker"].join(" "));
  const image = readFileSync(new URL("../deploy/Dockerfile", import.meta.url), "utf8");
  const [, entry = ""] = /^ENTRYPOINT (.+)$/m.exec(image) ?? [];
  expect(JSON.parse(entry)).toEqual(["node_modules/.bin/node", ...command.slice(1)]);
});
