import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { loadConfig } from "#server/config.ts";
import { AppError } from "#shared/errors.ts";
import { newApiKey } from "./api-key.ts";
import { createAuthenticate } from "./authenticate.ts";

const SECRET = "a secret of the tests that has 32 bytes";
const told: string[] = [];
const authenticate = createAuthenticate(loadConfig({ AUTH_JWT_SECRET: SECRET }), (error, what) =>
  told.push(`${what}: ${(error as Error).message}`),
);

const tokenFor = (sub: string) =>
  new SignJWT({ tenant: "acme" })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(sub)
    .setExpirationTime("1 minute")
    .sign(new TextEncoder().encode(SECRET));

test("a server without tokens and keys asks for neither", () => {
  expect(createAuthenticate(loadConfig({}), () => undefined)).toBeUndefined();
});

test.each(["Bearer", "bearer", "BEARER"])(
  "[P1] a token follows %s in the header",
  async (scheme) => {
    const authorization = `${scheme} ${await tokenFor("ann")}`;
    expect(await authenticate?.({ headers: { authorization } })).toEqual({
      userId: "ann",
      tenantId: "acme",
      scopes: [],
      expiresAt: expect.any(Number) as number,
      credential: { kind: "token", id: null, issuedAt: 0 },
    });
  },
);

test("[P1] the token that a client sent when it connected wins over the header", async () => {
  const headers = { authorization: `Bearer ${await tokenFor("ann")}` };
  const principal = await authenticate?.({ headers, token: await tokenFor("bob") });
  expect(principal?.userId).toBe("bob");
});

test.each<[what: string, headers: Record<string, string>, message: string]>([
  ["no header", {}, "Sign in: this server needs a token."],
  ["another scheme", { authorization: "Basic YTpi" }, "`Authorization` header of the form"],
  ["no token after the scheme", { authorization: "Bearer " }, "`Authorization` header of the form"],
  ["two tokens", { authorization: "Bearer a b" }, "`Authorization` header of the form"],
])("[P1] with %s a caller is refused", async (_what, headers, message) => {
  await expect(authenticate?.({ headers })).rejects.toMatchObject({
    code: "UNAUTHENTICATED",
    message: expect.stringContaining(message) as string,
  });
});

test("[P1] [H12] the log says why a token was refused; the caller does not learn it", async () => {
  const token = `${(await tokenFor("ann")).slice(0, -4)}AAAA`;
  await expect(authenticate?.({ headers: {}, token })).rejects.toMatchObject({
    message: "This token is not valid.",
  });
  expect(told.at(-1)).toBe("A token was refused: signature verification failed");
  expect(told.join()).not.toContain(token);
});

const KEY = newApiKey();
const OF_KEY = { userId: "reports", tenantId: "acme", scopes: ["jobs:read"] };
const acceptingKey = (env: Record<string, string>, verify = async () => OF_KEY) =>
  createAuthenticate(
    loadConfig(env),
    (error, what) => told.push(`${what}: ${(error as Error).message}`),
    {
      keys: {
        verify: async () => ({
          principal: await verify(),
          expiresAt: undefined,
          issuedAt: 0,
          id: "an id",
        }),
        isValid: async () => true,
      },
    },
  );

test.each<[what: string, env: Record<string, string>]>([
  ["tokens", { AUTH_JWT_SECRET: SECRET }],
  ["AUTH_API_KEYS alone", { AUTH_API_KEYS: "true" }],
])("[P8] an API key counts wherever a token does, with %s", async (_what, env) => {
  const asked = acceptingKey(env);
  const headers = { authorization: `Bearer ${KEY}` };
  const caller = { ...OF_KEY, expiresAt: undefined, credential: { kind: "key", id: "an id" } };
  expect(await asked?.({ headers })).toEqual(caller);
  expect(await asked?.({ headers: {}, token: KEY })).toEqual(caller);
  await expect(asked?.({ headers: {} })).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
});

test("with keys alone a token is not valid", async () => {
  const asked = acceptingKey({ AUTH_API_KEYS: "true" });
  await expect(asked?.({ headers: {}, token: await tokenFor("ann") })).rejects.toMatchObject({
    code: "UNAUTHENTICATED",
    message: "This token is not valid.",
  });
});

test("beside tokens, AUTH_API_KEYS=false accepts no key", async () => {
  const asked = acceptingKey({ AUTH_JWT_SECRET: SECRET, AUTH_API_KEYS: "false" });
  await expect(asked?.({ headers: {}, token: KEY })).rejects.toMatchObject({
    code: "UNAUTHENTICATED",
  });
  expect((await asked?.({ headers: {}, token: await tokenFor("ann") }))?.userId).toBe("ann");
});

test("[P8] [H12] the log says why a key was refused, without the key", async () => {
  const asked = acceptingKey({ AUTH_API_KEYS: "true" }, async () => {
    throw new AppError("UNAUTHENTICATED", "This API key is not valid.", {
      cause: new Error("it is unknown"),
    });
  });
  await expect(asked?.({ headers: {}, token: KEY })).rejects.toMatchObject({
    message: "This API key is not valid.",
  });
  expect(told.at(-1)).toBe("An API key was refused: it is unknown");
  expect(told.join()).not.toContain(KEY);
});

test("[P10] connections of a sign-in end when it is no longer used, not at its longest life", async () => {
  const signIn = {
    id: "hash",
    principal: { userId: "ann", tenantId: "acme", scopes: [] },
    credential: { kind: "token" as const, id: null },
    madeAt: 0,
    usedAt: 0,
    endsAt: 1000,
    expiresAt: 9000,
  };
  const asked = createAuthenticate(loadConfig({ AUTH_JWT_SECRET: SECRET }), () => undefined, {
    cookies: { secretIn: () => "secret", find: async () => signIn },
  });
  expect(await asked?.({ headers: {} })).toMatchObject({ signInId: "hash", expiresAt: 1000 });
});
