/** Each transport that shows streams passes the suite that all of them pass. */
import { access, glob, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const TRANSPORTS = fileURLToPath(new URL("../server/transports/", import.meta.url));
const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

test("a transport that sends streams has the file suite.test.ts, which runs the shared suite", async () => {
  const withStreams = new Set<string>();
  for await (const path of glob("*/**/*.ts", { cwd: TRANSPORTS })) {
    if (path.includes(".test")) continue;
    const [folder = ""] = path.split("/");
    const isTransport = await exists(join(TRANSPORTS, folder, "transport.ts"));
    const text = await readFile(join(TRANSPORTS, path), "utf8");
    if (isTransport && /\bstreams\b/.test(text)) withStreams.add(folder);
  }
  const tested = new Set<string>();
  for await (const path of glob("*/suite.test.ts", { cwd: TRANSPORTS })) {
    const text = await readFile(join(TRANSPORTS, path), "utf8");
    if (text.includes("transportSuite({")) tested.add(dirname(path));
  }
  expect(withStreams.size).toBeGreaterThan(1);
  expect([...tested].toSorted()).toEqual([...withStreams].toSorted());
});
