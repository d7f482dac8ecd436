import { expect, test } from "vitest";
import { asAppError } from "./errors.ts";

test.each(["MOVED 12182 10.1.2.3:6379", "ASK 12182 10.1.2.3:6379"])(
  "a cluster that sends a command around (%s) may be asked again, and where its nodes are is not told",
  (answer) => {
    const cause = new Error(`Too many Cluster redirections. Last error: ReplyError: ${answer}`);
    const error = asAppError(cause, "Redis");
    expect(error.code).toBe("UNAVAILABLE");
    expect(error.message).toBe(
      "Redis is moving these keys to another node. Whether the last command was carried out is not known. Try again.",
    );
  },
);
