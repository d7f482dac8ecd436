import { expect, test } from "vitest";
import { wholeMessageOf } from "#shared/errors.ts";
import { asAppError, neverReached } from "./errors.ts";

test.each(["MOVED 12182 10.1.2.3:6379", "ASK 12182 10.1.2.3:6379"])(
  "a cluster that redirects a command (%s) gives a retryable error without addresses of nodes",
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
])("[H12] the error for %s has no address or path, and its cause is for the log", (cause) => {
  const error = asAppError(cause, "Redis");
  expect(error.code).toBe("UNAVAILABLE");
  expect(error.message).not.toMatch(/10\.1\.2\.3|\/var/);
  expect(wholeMessageOf(error)).toContain(cause.message);
});

test("a Redis that was never reached is told with advice about its address", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  expect(neverReached(refused, "Redis at redis://localhost:6379")).toMatchObject({
    code: "UNAVAILABLE",
    message:
      "Redis at redis://localhost:6379 cannot be reached (ECONNREFUSED). Check that it runs, and that REDIS_URL is its address.",
  });
  const error = new Error("something else");
  expect(neverReached(error, "Redis").message).toBe(asAppError(error, "Redis").message);
});
