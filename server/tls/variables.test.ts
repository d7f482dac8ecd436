import { expect, test } from "vitest";
import { ConfigError, loadConfig } from "#server/config.ts";
import { keyPairFiles } from "./variables.ts";

function linesOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
}

test("the server speaks TLS with both files, and plain HTTP by default", () => {
  const config = loadConfig({ TLS_CERT_FILE: "/c.pem", TLS_KEY_FILE: "/k.pem" });
  expect(keyPairFiles(config)).toEqual({ cert: "/c.pem", key: "/k.pem" });
  expect(keyPairFiles(loadConfig({}))).toBeUndefined();
});

test("one of the two files stops the start, and the message names the other", () => {
  expect(linesOf({ TLS_CERT_FILE: "/c.pem" })).toEqual([
    expect.stringMatching(/^TLS_CERT_FILE needs TLS_KEY_FILE/),
  ]);
  expect(linesOf({ TLS_KEY_FILE: "/k.pem" })).toEqual([
    expect.stringMatching(/^TLS_KEY_FILE needs TLS_CERT_FILE/),
  ]);
});

test("a pasted key stops the start and is not shown", () => {
  const key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END PRIVATE KEY-----\n";
  expect(linesOf({ TLS_CERT_FILE: "/c.pem", TLS_KEY_FILE: key })).toEqual([
    "TLS_KEY_FILE=… must be the path of a file, and not what the file holds",
  ]);
});
