import { expect, test } from "vitest";
import { wholeMessageOf } from "#shared/errors.ts";
import { publicMessageOf } from "#shared/public-message.ts";
import { asAppError, unavailable } from "./errors.ts";

const PATH = "/var/lib/jobwire/jobwire.db";

/** Result codes of SQLite; `undefined` is an error of another kind. */
const ERRORS = [undefined, 1, 5, 6, 7, 8, 10, 11, 13, 14, 26].map((errcode) =>
  Object.assign(new Error("as SQLite says it"), { code: "ERR_SQLITE_ERROR", errcode }),
);

test.each(ERRORS)(
  "[H12] the message of error $errcode does not contain the path of the data, and the log does",
  (cause) => {
    for (const error of [asAppError(cause, PATH), unavailable(PATH, cause)]) {
      expect(publicMessageOf(error)).not.toContain(PATH);
      expect(publicMessageOf(error)).not.toContain("as SQLite");
      expect(wholeMessageOf(error)).toContain(PATH);
      expect(wholeMessageOf(error)).toContain("as SQLite says it");
    }
  },
);
