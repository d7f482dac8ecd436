import { expect, test } from "vitest";
import { assertVersion } from "./connect.ts";

test.each(["5.0.14", "6.0.9"])(
  "[X8] Redis %s is refused, with the version that is needed",
  (version) => {
    expect(() => assertVersion(`# Server\r\nredis_version:${version}\r\n`)).toThrow(
      /has the version \d\.0; .*from 6\.2 on\. Upgrade it/,
    );
  },
);

test.each(["6.2.0", "7.0.15", "10.1.0"])("[X8] Redis %s is read", (version) => {
  expect(() => assertVersion(`redis_version:${version}`)).not.toThrow();
});

test("[X8] one that does not tell its version is read", () => {
  expect(() => assertVersion("")).not.toThrow();
});
