import { expect, test } from "vitest";
import { wholeMessageOf } from "#shared/errors.ts";
import { asAppError } from "./errors.ts";

test.each(["MOVED 12182 10.1.2.3:6379", "ASK 12182 10.1.2.3:6379"])(
  "a cluster that sends a command around (%s) may be asked again, and where its nodes are is not told",
  (answer) => {
    const cause = new Error(`Too many Cluster redirections. Last error: ReplyError: ${answer}`);
    const error = asAppError(cause, "Redis");
    expect(error.code).toBe("UNAVAILABLE");
    expect(error.message).toBe(
      "Redis is moving these keys to another node. The last command may or may not have been executed. Try again.",
    );
  },
);

test.each([
  new Error("Too many Cluster redirections. Last error: Error: connect ECONNREFUSED 10.1.2.3:6379"),
  new Error("None of startup nodes is available", { cause: new Error("10.1.2.3") }),
  Object.assign(new Error("connect ECONNREFUSED 10.1.2.3:6379"), { code: "ECONNREFUSED" }),
  Object.assign(new Error("getaddrinfo ENOTFOUND 10.1.2.3"), { code: "ENOTFOUND" }),
  Object.assign(new Error("MISCONF cannot save to /var/10.1.2.3"), { name: "ReplyError" }),
  Object.assign(new Error("READONLY 10.1.2.3"), { name: "ReplyError" }),
])("[H12] %s is told without an address or a path, and the log has it", (cause) => {
  const error = asAppError(cause, "Redis");
  expect(error.code).toBe("UNAVAILABLE");
  expect(error.message).not.toMatch(/10\.1\.2\.3|\/var/);
  expect(wholeMessageOf(error)).toContain(cause.message);
});
