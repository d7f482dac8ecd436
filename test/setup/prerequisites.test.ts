import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { provideProgram } from "./debian.ts";
import { PYTHON } from "./prerequisites.ts";

let dir: string;
let poor: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "jobwire-needs-"));
  poor = join(dir, "python3");
  // A Python without any module.
  await writeFile(poor, `#!/bin/sh\nexec ${inject("python")} -I -S "$@"\n`);
  await chmod(poor, 0o755);
});
afterAll(async () => {
  await rm(dir, { recursive: true });
});

const providePython = (candidates: readonly string[], install?: () => void) =>
  provideProgram({ ...PYTHON, candidates }, install);

test("the search skips a Python without the modules", () => {
  expect(providePython([join(dir, "none"), poor, inject("python")])).toBe(inject("python"));
});

test("missing modules are installed if possible, and found afterwards", () => {
  const late = [poor];
  expect(providePython(late, () => void late.push(inject("python")))).toBe(inject("python"));
});

test("if modules cannot be installed, the error names the command that installs them", () => {
  const command =
    /sudo apt-get install python3 python3-socketio python3-requests python3-websocket python3-aiohttp$/;
  expect(() => providePython([poor])).toThrow(command);
  expect(() => providePython([poor], () => {})).toThrow(command);
});
