import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { freePort } from "./free-port.ts";

const HELPER = fileURLToPath(new URL("free-port.ts", import.meta.url));

test("a port that was given is not given again, in this process or in another", async () => {
  const given = await freePort();
  const fraction = (given - 20_000 + 0.5) / 12_000;
  vi.spyOn(Math, "random").mockReturnValueOnce(fraction);
  expect(await freePort()).not.toBe(given);
  const script = `
    const draws = [${fraction}];
    const random = Math.random;
    Math.random = () => draws.pop() ?? random();
    const { freePort } = await import(${JSON.stringify(HELPER)});
    console.log(await freePort());`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--input-type=module",
    "-e",
    script,
  ]);
  const elsewhere = Number(stdout);
  expect(elsewhere).toBeGreaterThan(0);
  expect(elsewhere).not.toBe(given);
});
