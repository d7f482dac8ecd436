import { describe, expect, test } from "vitest";
import { AppError, ERROR_CODES, wholeMessageOf } from "./errors.ts";
import { FAULT, kindMessageOf, publicMessageOf } from "./public-message.ts";
import { hostileValues } from "#test/hostile-values.ts";

const PATH = "ENOENT: no such file or directory, open '/var/lib/jobwire/jobwire.db'";

test.each(ERROR_CODES)(
  "[H12] the message of an error with the code %s is public, or replaced as a whole",
  (code) => {
    const isForTheLog = code === "INTERNAL" || code === "DATA_UNUSABLE";
    const error = new AppError(code, "It is so.", { cause: new Error(PATH) });
    for (const told of [publicMessageOf, kindMessageOf]) {
      expect(told(error)).toBe(isForTheLog ? FAULT : "It is so.");
    }
  },
);

describe("[H12] of what a kind throws", () => {
  test.each([
    ["a system error", Object.assign(new Error(PATH), { code: "ENOENT", syscall: "open" })],
    [
      "an error of Node's",
      Object.assign(new TypeError(PATH), { code: "ERR_INVALID_FILE_URL_PATH" }),
    ],
    ["a database error", Object.assign(new Error(PATH), { code: "ERR_SQLITE_ERROR" })],
  ])("the message of %s is not public", (_, thrown) => {
    expect([kindMessageOf(thrown), publicMessageOf(thrown)]).toEqual([FAULT, FAULT]);
  });

  test("the kind's own message is public", () => {
    expect(kindMessageOf(new Error("The list is empty."))).toBe("The list is empty.");
    expect(publicMessageOf(new Error("The list is empty."))).toBe(FAULT);
  });

  test.each(Object.entries(hostileValues()))("%s has a text", (_, thrown) => {
    expect(kindMessageOf(thrown)).toBeTypeOf("string");
    expect(publicMessageOf(thrown)).toBe(FAULT);
    expect(wholeMessageOf(thrown)).toBeTypeOf("string");
  });
});

test("[H12] the log has the text of each cause once", () => {
  const system = Object.assign(new Error(PATH), { code: "ENOENT" });
  const cause = new Error(`/data: ${PATH}`, { cause: system });
  const error = new AppError("UNAVAILABLE", "Nothing was stored.", { cause });
  expect(wholeMessageOf(error)).toBe(`Nothing was stored. < /data: ${PATH}`);
  const round = new Error("round");
  round.cause = round;
  expect(wholeMessageOf(round)).toBe("round");
});
