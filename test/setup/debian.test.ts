import { expect, test } from "vitest";
import { provideProgram } from "./debian.ts";

function refuse(): never {
  throw new Error("Unexpected installation.");
}

test("the first candidate that runs is used, and nothing is installed", () => {
  const candidates = ["no-such-program", process.execPath];
  expect(provideProgram({ candidates, packages: ["node"] }, refuse)).toBe(process.execPath);
});

test("a missing program is installed if possible, and found afterwards", () => {
  const candidates = ["no-such-program"];
  const installed: string[] = [];
  const install = (packages: readonly string[]) => {
    installed.push(...packages);
    candidates.push(process.execPath);
  };
  expect(provideProgram({ candidates, packages: ["some-package"] }, install)).toBe(
    process.execPath,
  );
  expect(installed).toEqual(["some-package"]);
});

test("if a program cannot be installed, the error names it and the command that installs it", () => {
  const command = /no-such-program.*Install it: sudo apt-get install some-package$/;
  const wanted = { candidates: ["no-such-program"], packages: ["some-package"] };
  expect(() => provideProgram(wanted)).toThrow(command);
  expect(() => provideProgram(wanted, () => {})).toThrow(command);
});
