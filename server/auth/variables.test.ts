import { expect, test } from "vitest";
import { ConfigError, loadConfig } from "#server/config.ts";
import { needsToken } from "./variables.ts";

const SECRET = "a secret of the tests that has 32 bytes";

function linesOf(env: Record<string, string>): string {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines.join("\n");
    throw error;
  }
  return "";
}

const PROVIDER = {
  AUTH_JWKS_URL: "https://id.example.com/jwks",
  AUTH_ISSUER: "https://id.example.com",
  AUTH_AUDIENCE: "jobwire",
};

test.each<[what: string, env: Record<string, string>]>([
  ["a secret", { AUTH_JWT_SECRET: SECRET }],
  ["a secret with a line end", { AUTH_JWT_SECRET: `${SECRET}\n` }],
  ["a secret of 32 bytes in 16 characters", { AUTH_JWT_SECRET: "é".repeat(16) }],
  ["two secrets", { AUTH_JWT_SECRET: SECRET, AUTH_JWT_PREVIOUS_SECRET: `old ${SECRET}` }],
  ["an identity provider", PROVIDER],
  ["a secret and a provider", { ...PROVIDER, AUTH_JWT_SECRET: SECRET }],
  ["API keys alone", { AUTH_API_KEYS: "true" }],
  ["a secret, and no API keys", { AUTH_JWT_SECRET: SECRET, AUTH_API_KEYS: "false" }],
])("callers need a token with %s", (_what, env) => {
  expect(needsToken(loadConfig(env))).toBe(true);
});

test.each([{}, { AUTH_API_KEYS: "false" }, { AUTH_API_KEYS: "" }])(
  "callers need no token with %s",
  (env) => {
    expect(needsToken(loadConfig(env))).toBe(false);
  },
);

test.each<[what: string, env: Record<string, string>, line: string]>([
  ["a secret of 31 bytes", { AUTH_JWT_SECRET: "x".repeat(31) }, "must have 32 bytes or more"],
  ["a secret of spaces", { AUTH_JWT_SECRET: " ".repeat(40) }, "must have 32 bytes or more"],
  [
    "a previous secret alone",
    { AUTH_JWT_PREVIOUS_SECRET: SECRET },
    "AUTH_JWT_PREVIOUS_SECRET needs AUTH_JWT_SECRET",
  ],
  [
    "a provider without its issuer",
    { ...PROVIDER, AUTH_ISSUER: "" },
    "AUTH_JWKS_URL needs AUTH_ISSUER",
  ],
  [
    "a provider without an audience",
    { ...PROVIDER, AUTH_AUDIENCE: "" },
    "AUTH_JWKS_URL needs AUTH_AUDIENCE",
  ],
  ["an address of a file", { ...PROVIDER, AUTH_JWKS_URL: "file:///keys" }, "must be an address"],
  [
    "an issuer without keys",
    { AUTH_ISSUER: "https://id.example.com" },
    "AUTH_ISSUER needs AUTH_JWT_SECRET or AUTH_JWKS_URL",
  ],
  [
    "a default tenant without keys",
    { AUTH_DEFAULT_TENANT: "acme" },
    "AUTH_DEFAULT_TENANT needs AUTH_JWT_SECRET, AUTH_JWKS_URL or OIDC_ISSUER",
  ],
  ...["AUTH_JWT_SECRET", "AUTH_API_KEYS"].map((name): [string, Record<string, string>, string] => [
    `ALLOW_ANONYMOUS beside ${name}`,
    { ALLOW_ANONYMOUS: "true", [name]: name === "AUTH_API_KEYS" ? "true" : SECRET },
    `ALLOW_ANONYMOUS=true contradicts ${name}`,
  ]),
  [
    "ALLOW_ANONYMOUS beside a provider",
    { ALLOW_ANONYMOUS: "true", ...PROVIDER },
    "ALLOW_ANONYMOUS=true contradicts AUTH_JWKS_URL",
  ],
  [
    "an issuer beside API keys alone",
    { AUTH_ISSUER: "https://id.example.com", AUTH_API_KEYS: "true" },
    "AUTH_ISSUER needs AUTH_JWT_SECRET or AUTH_JWKS_URL",
  ],
])("the start stops with %s, and says why", (_what, env, line) => {
  expect(linesOf(env)).toContain(line);
});

test.each(["AUTH_JWT_SECRET", "AUTH_JWT_PREVIOUS_SECRET", "AUTH_API_KEYS"])(
  "[H12] the error for a bad %s does not show it",
  (name) => {
    const lines = linesOf({ [name]: "hunter2" });
    expect(lines).toContain(name);
    expect(lines).not.toContain("hunter2");
  },
);
