import { expect, test } from "vitest";
import { loadConfig } from "./config.ts";
import { assertNotExposed } from "./exposure.ts";

const PUBLIC = "0.0.0.0";
const SECRET = "a secret of thirty-two bytes or more";
const asserts =
  (env: Record<string, string>, hasOwnAuthenticate = false) =>
  () =>
    assertNotExposed(loadConfig(env), hasOwnAuthenticate);

test.each([PUBLIC, "::", "192.168.1.5", "jobs.example.com", "localhost.example.com"])(
  "[P12] a server on %s that does not ask who its callers are does not start, and says what to do",
  (HOST) => {
    expect(asserts({ HOST })).toThrow(HOST);
    expect(asserts({ HOST })).toThrow(/AUTH_JWT_SECRET.*AUTH_API_KEYS=true.*ALLOW_ANONYMOUS=true/);
  },
);

test.each(["127.0.0.1", "127.1.2.3", "::1", "localhost"])("a server on %s starts", (HOST) => {
  expect(asserts({ HOST })).not.toThrow();
});

test.each<[what: string, env: Record<string, string>]>([
  ["tokens", { AUTH_JWT_SECRET: SECRET }],
  ["API keys", { AUTH_API_KEYS: "true" }],
  [
    "a provider of OpenID Connect alone",
    {
      OIDC_ISSUER: "https://id.example.com",
      OIDC_CLIENT_ID: "jobwire",
      OIDC_CLIENT_SECRET: SECRET,
      PUBLIC_URL: "https://jobs.example.com",
    },
  ],
  ["ALLOW_ANONYMOUS", { ALLOW_ANONYMOUS: "true" }],
  ["the role of a worker", { ROLE: "worker", REDIS_URL: "redis://127.0.0.1:6379" }],
])("[P12] a server that other machines reach starts with %s", (_what, env) => {
  expect(asserts({ HOST: PUBLIC, ...env })).not.toThrow();
});

test("[P12] a program with `authenticate` of its own starts", () => {
  expect(asserts({ HOST: PUBLIC }, true)).not.toThrow();
});

test("[P12] API keys that are accepted but not required do not count", () => {
  expect(asserts({ HOST: PUBLIC, AUTH_API_KEYS: "false" })).toThrow("does not ask");
});
