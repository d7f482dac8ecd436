import { expect, test } from "vitest";
import { ConfigError, loadConfig } from "#server/config.ts";
import { oidcSettings } from "./oidc-variables.ts";
import { acceptsApiKeys, needsToken, signInMethods } from "./variables.ts";

const SECRET = "a secret of the tests, of the client";
const PROVIDER = {
  OIDC_ISSUER: "https://id.example.com/realms/acme",
  OIDC_CLIENT_ID: "jobwire",
  OIDC_CLIENT_SECRET: SECRET,
  PUBLIC_URL: "https://jobs.example.com",
};

function linesOf(env: Record<string, string>): string {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines.join("\n");
    throw error;
  }
  return "";
}

test("[P18] a server with a provider asks its callers who they are, and takes API keys of programs", () => {
  const config = loadConfig(PROVIDER);
  expect(needsToken(config)).toBe(true);
  expect(acceptsApiKeys(config)).toBe(true);
  expect(signInMethods(config)).toEqual(["oidc", "token"]);
  expect(signInMethods(loadConfig({ ...PROVIDER, AUTH_API_KEYS: "false" }))).toEqual(["oidc"]);
  expect(oidcSettings(config)).toEqual({
    issuer: PROVIDER.OIDC_ISSUER,
    clientId: "jobwire",
    clientSecret: SECRET,
    publicUrl: "https://jobs.example.com",
    name: "id.example.com",
    requested: "openid",
    granted: ["jobs:read", "jobs:write", "jobs:review"],
  });
  expect(oidcSettings(loadConfig({}))).toBeUndefined();
});

test("[P18] what is asked of the provider and what is granted here are configured apart", () => {
  const config = loadConfig({
    ...PROVIDER,
    OIDC_NAME: "Acme ID",
    OIDC_SCOPES: "openid  profile https://acme.example/tenant openid",
    OIDC_GRANTS: "jobs:read tenant",
    OIDC_CLIENT_SECRET: `${SECRET}\n`,
    PUBLIC_URL: "https://Jobs.example.com:443/",
    AUTH_DEFAULT_TENANT: "acme",
  });
  expect(oidcSettings(config)).toMatchObject({
    name: "Acme ID",
    requested: "openid profile https://acme.example/tenant",
    granted: ["jobs:read", "tenant"],
    clientSecret: SECRET,
    publicUrl: "https://jobs.example.com",
  });
});

test("[P18] plain HTTP is for this machine alone", () => {
  for (const host of ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "app.localhost"]) {
    const local = { ...PROVIDER, OIDC_ISSUER: `http://${host}`, PUBLIC_URL: `http://${host}` };
    expect(linesOf(local)).toBe("");
  }
});

test.each(Object.keys(PROVIDER))(
  "[P18] the start without %s beside the others stops",
  (missing) => {
    const lines = linesOf({ ...PROVIDER, [missing]: "" });
    expect(lines).toMatch(new RegExp(`^\\w+ needs ${missing}, `));
    expect(lines).not.toContain(SECRET);
  },
);

test.each<[env: Record<string, string>, line: RegExp]>([
  [{ PUBLIC_URL: PROVIDER.PUBLIC_URL }, /^PUBLIC_URL needs OIDC_ISSUER, /],
  [{ OIDC_NAME: "Acme" }, /^OIDC_NAME needs OIDC_ISSUER, /],
  [
    { ...PROVIDER, PUBLIC_URL: "http://jobs.example.com" },
    /PUBLIC_URL=.* must be the address of the page/,
  ],
  [{ ...PROVIDER, PUBLIC_URL: "https://jobs.example.com/app" }, /without a path/],
  [{ ...PROVIDER, PUBLIC_URL: "https://jobs.example.com/?" }, /without a path/],
  [{ ...PROVIDER, PUBLIC_URL: "https://ann:secret@jobs.example.com" }, /PUBLIC_URL="…@jobs/],
  [{ ...PROVIDER, PUBLIC_URL: "jobs.example.com" }, /PUBLIC_URL=/],
  [{ ...PROVIDER, OIDC_ISSUER: "http://id.example.com" }, /OIDC_ISSUER=.* begins with https/],
  [{ ...PROVIDER, OIDC_ISSUER: "https://id.example.com/?a=b" }, /without a query/],
  [
    { ...PROVIDER, OIDC_CLIENT_SECRET: "short" },
    /^OIDC_CLIENT_SECRET=… must have 16 characters or more/,
  ],
  [{ ...PROVIDER, OIDC_SCOPES: "profile" }, /must contain openid/],
  [{ ...PROVIDER, OIDC_SCOPES: 'openid "x"' }, /must be names/],
  [{ ...PROVIDER, OIDC_GRANTS: "operator" }, /OIDC_GRANTS="operator" must be scopes/],
  [{ ...PROVIDER, OIDC_GRANTS: "*" }, /OIDC_GRANTS="\*" must be scopes/],
  [{ ...PROVIDER, OIDC_NAME: "x".repeat(41) }, /at most 40 characters/],
  [{ ...PROVIDER, ALLOW_ANONYMOUS: "true" }, /ALLOW_ANONYMOUS=true contradicts OIDC_ISSUER/],
  [{ ...PROVIDER, AUTH_AUDIENCE: "x" }, /AUTH_AUDIENCE needs AUTH_JWT_SECRET/],
])("[P18] the start with %j stops", (env, line) => {
  const lines = linesOf(env);
  expect(lines).toMatch(line);
  expect(lines).not.toContain("secret@");
});

test.each<[env: Record<string, string>, isUsable: boolean]>([
  [{}, false],
  [{ CORS_ORIGINS: "https://*.example.com" }, false],
  [{ CORS_ORIGINS: "null,file://" }, false],
  [{ FRONTEND_URL: "https://*.example.com" }, false],
  [{ FRONTEND_URL: "https://app.example.com" }, true],
  [{ CORS_ORIGINS: "https://*.example.com,https://app.example.org" }, true],
  [{ CORS_ORIGINS: "http://127.0.0.1:3000" }, true],
])("[P11] AUTH_COOKIE_SAMESITE=none with %j is usable: %s", (env, isUsable) => {
  const lines = linesOf({ AUTH_API_KEYS: "true", AUTH_COOKIE_SAMESITE: "none", ...env });
  expect(lines).toMatch(isUsable ? /^$/ : /^AUTH_COOKIE_SAMESITE=none needs the origin of each/);
});
