import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeDataDirectory } from "./data-directory.ts";

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "jobwire-data-directory-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

function refusal(path: string, why: RegExp): unknown {
  const text = `^${path} cannot be made a data directory \\(${why.source}\\)\\. Set DATA_DIR `;
  return expect.objectContaining({
    code: "DATA_UNUSABLE",
    message: expect.stringMatching(new RegExp(text)),
  });
}

test("a directory is made with those above it, and one that is there is left as it is", () => {
  const path = join(dir, "a/b/c");
  makeDataDirectory(path);
  writeFileSync(join(path, "kept"), "");
  makeDataDirectory(path);
  expect(existsSync(join(path, "kept"))).toBe(true);
});

test("a directory that is made is its user's alone, and those above it are as any", () => {
  makeDataDirectory(join(dir, "above/data"));
  const modeOf = (path: string) => statSync(join(dir, path)).mode & 0o777;
  expect(modeOf("above/data")).toBe(0o700);
  mkdirSync(join(dir, "any"));
  expect(modeOf("above")).toBe(modeOf("any"));
});

test("a link to a directory is one", () => {
  mkdirSync(join(dir, "real"));
  symlinkSync(join(dir, "real"), join(dir, "link"));
  makeDataDirectory(join(dir, "link/data"));
  expect(statSync(join(dir, "real/data")).isDirectory()).toBe(true);
});

test("[J12] a file in the way is named, also above the directory", () => {
  const file = join(dir, "file");
  writeFileSync(file, "");
  expect(() => makeDataDirectory(file)).toThrow(
    refusal(file, new RegExp(`${file} is not a directory`)),
  );
  expect(() => makeDataDirectory(join(file, "data"))).toThrow(
    refusal(join(file, "data"), new RegExp(`.*(ENOTDIR|${file} is not a directory).*`)),
  );
});

test("[J12] a link that leads nowhere is named, also above the directory", () => {
  const link = join(dir, "link");
  symlinkSync(join(dir, "gone"), link);
  expect(() => makeDataDirectory(link)).toThrow(
    refusal(link, new RegExp(`${link} is a link to something that does not exist`)),
  );
  expect(() => makeDataDirectory(join(link, "data"))).toThrow(
    refusal(join(link, "data"), new RegExp(`${link} is a link to something that does not exist`)),
  );
});

test.skipIf(!existsSync("/proc/self"))(
  "[J12] a directory that takes no others is refused, and not asked for ever",
  () => {
    expect(() => makeDataDirectory("/proc/nope")).toThrow(
      refusal("/proc/nope", /\/proc takes no directories/),
    );
    expect(() => makeDataDirectory("/proc/nope/deep")).toThrow(
      refusal("/proc/nope/deep", /\/proc takes no directories/),
    );
  },
);
