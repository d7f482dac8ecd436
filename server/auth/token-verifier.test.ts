import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from "jose";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { AppError } from "#shared/errors.ts";
import { createTokenVerifier } from "./token-verifier.ts";
import { AUTH_VARIABLES, type AuthSettings } from "./variables.ts";

const SECRET = "a secret of the tests that has 32 bytes";
const PREVIOUS = "the secret before, which has 32 bytes too";
const JOB = "0198f1a2-0000-7000-8000-000000000000";
const CLAIMS = { sub: "ann", tenant: "acme", scope: "jobs:read jobs:write" };
const NOT_VALID = { code: "UNAUTHENTICATED", message: "This token is not valid." };

const bytes = (text: string) => new TextEncoder().encode(text);
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

function settings(given: Partial<AuthSettings> = {}): AuthSettings {
  const defaults = { AUTH_TENANT_CLAIM: AUTH_VARIABLES.AUTH_TENANT_CLAIM.default };
  return { ...defaults, AUTH_JWT_SECRET: SECRET, ...given } as AuthSettings;
}

function token(
  claims: Record<string, unknown> = {},
  { secret = SECRET, header = {} }: { secret?: string; header?: Record<string, unknown> } = {},
): Promise<string> {
  return new SignJWT({ ...CLAIMS, exp: inSeconds(60), ...claims })
    .setProtectedHeader({ alg: "HS256", ...header })
    .sign(bytes(secret));
}

/** The refusal without its cause, which is for the log. */
async function refusal(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  const { code, message, cause } = error as AppError;
  expect(cause).toBeInstanceOf(Error);
  return { code, message };
}

describe("[P1] a token of the shared secret", () => {
  test("gives the user, the tenant and the scopes that a token can grant", async () => {
    const verify = createTokenVerifier(settings());
    const exp = inSeconds(60);
    const scope = `jobs:read jobs:read * operator openid tenant job:${JOB}:read job:x:read`;
    expect(await verify(await token({ exp, scope, jti: "t1", iat: 1000 }))).toEqual({
      principal: {
        userId: "ann",
        tenantId: "acme",
        scopes: ["jobs:read", "tenant", `job:${JOB}:read`],
      },
      expiresAt: (exp + 5) * 1000,
      issuedAt: 1_000_000,
      id: "t1",
    });
  });

  test.each<[claims: object, id: string | undefined]>([
    [{ jti: 7 }, "7"],
    [{ jti: "" }, undefined],
    [{ jti: ["t"] }, undefined],
    [{ jti: null }, undefined],
    [{}, undefined],
  ])("[P14] with %j can be revoked by the id %j", async (claims, id) => {
    const verify = createTokenVerifier(settings());
    const jwt = await token({ exp: inSeconds(60), ...claims });
    expect((await verify(jwt)).id).toBe(id);
  });

  test("[P14] that says it was issued in the future says nothing, so that its user's revocation ends it", async () => {
    const verify = createTokenVerifier(settings());
    const issuedAt = async (iat: number) =>
      (await verify(await token({ exp: inSeconds(60), iat }))).issuedAt;
    // The clocks may differ by five seconds.
    const soon = inSeconds(3);
    expect(await issuedAt(soon)).toBe(soon * 1000);
    for (const iat of [inSeconds(60), Date.now(), 1e300]) expect(await issuedAt(iat)).toBe(0);
  });

  test("may end at a fraction of a second, as those of Python do", async () => {
    const verify = createTokenVerifier(settings());
    const exp = inSeconds(60) + 0.25;
    const verified = await verify(await token({ exp, iat: exp - 60 }));
    expect(Number.isInteger(verified.expiresAt)).toBe(true);
    expect(Number.isInteger(verified.issuedAt)).toBe(true);
  });

  test.each<[what: string, scope: unknown, scopes: string[]]>([
    ["a list", ["jobs:read", "admin", 7, "*"], ["jobs:read", "admin"]],
    ["nothing", undefined, []],
    ["an empty text", "", []],
    ["an object", { "jobs:read": true }, []],
  ])("that names scopes as %s grants what is in it", async (_what, scope, scopes) => {
    const verify = createTokenVerifier(settings());
    expect((await verify(await token({ scope }))).principal.scopes).toEqual(scopes);
  });

  test("without `iat` counts as issued at 0", async () => {
    expect((await createTokenVerifier(settings())(await token())).issuedAt).toBe(0);
  });

  test("of the previous secret is valid while that is configured", async () => {
    const old = await token({}, { secret: PREVIOUS });
    const both = createTokenVerifier(settings({ AUTH_JWT_PREVIOUS_SECRET: PREVIOUS }));
    expect((await both(old)).principal.userId).toBe("ann");
    expect((await both(await token())).principal.userId).toBe("ann");
    expect(await refusal(createTokenVerifier(settings())(old))).toEqual(NOT_VALID);
  });

  test("may name its tenant in another claim, or have the default one", async () => {
    const verify = createTokenVerifier(
      settings({ AUTH_TENANT_CLAIM: "https://example.com/org", AUTH_DEFAULT_TENANT: "everybody" }),
    );
    const named = await token({ "https://example.com/org": "bakery" });
    expect((await verify(named)).principal.tenantId).toBe("bakery");
    expect((await verify(await token())).principal.tenantId).toBe("everybody");
  });

  test("is valid up to five seconds after its end, and has expired then", async () => {
    const verify = createTokenVerifier(settings());
    expect((await verify(await token({ exp: inSeconds(-3) }))).principal.userId).toBe("ann");
    expect(await refusal(verify(await token({ exp: inSeconds(-7) })))).toEqual({
      code: "TOKEN_EXPIRED",
      message: "This token has expired.",
    });
  });

  test.each<[what: string, claims: Record<string, unknown>]>([
    ["no user", { sub: undefined }],
    ["an empty user", { sub: "" }],
    ["a user of 301 characters", { sub: "x".repeat(301) }],
    ["a user that is half a surrogate pair", { sub: "\uD83D" }],
    ["no end", { exp: undefined }],
    ["no tenant", { tenant: undefined }],
    ["an empty tenant", { tenant: "" }],
    ["a tenant that is no text", { tenant: ["acme"] }],
    ["a begin in the future", { nbf: inSeconds(60) }],
  ])("with %s is not valid", async (_what, claims) => {
    expect(await refusal(createTokenVerifier(settings())(await token(claims)))).toEqual(NOT_VALID);
  });

  test.each<[what: string, given: () => string | Promise<string>]>([
    ["signed by another secret", () => token({}, { secret: "x".repeat(32) })],
    ["without a signature", () => new UnsecuredJWT({ ...CLAIMS, exp: inSeconds(60) }).encode()],
    ["whose claims were changed", async () => changed(await token())],
    ["of another type", () => token({}, { header: { typ: "jobwire-stream+jwt" } })],
    ["of HS512", () => token({}, { header: { alg: "HS512" } })],
    ["with an unknown critical header", () => signed({ crit: ["http://x"], "http://x": 1 })],
    ["that is no JWT", () => "x"],
    ["that is empty between its dots", () => ".."],
    ["that is longer than 8,192 characters", () => token({ more: "x".repeat(8192) })],
  ])("%s is not valid", async (_what, given) => {
    expect(await refusal(createTokenVerifier(settings())(await given()))).toEqual(NOT_VALID);
  });

  test("with any header and any claims is valid, or refused as not valid", async () => {
    const verify = createTokenVerifier(settings());
    const header = fc.record(
      { alg: fc.constant("HS256"), typ: fc.jsonValue(), kid: fc.jsonValue(), crit: fc.jsonValue() },
      { requiredKeys: ["alg"] },
    );
    const any = fc.jsonValue();
    const claims = fc.record(
      { sub: any, tenant: any, scope: any, exp: any, iat: any, nbf: any, jti: any },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(header, any), claims, async (head, more) => {
        const verdict = await verify(signed(head as object, more)).then(
          ({ principal }) => principal.userId,
          ({ code }: AppError) => code,
        );
        expect(["UNAUTHENTICATED", "TOKEN_EXPIRED", more.sub ?? "ann"]).toContain(verdict);
      }),
      { numRuns: 500 },
    );
  });

  test("has the issuer and the audience that are configured", async () => {
    const verify = createTokenVerifier(
      settings({ AUTH_ISSUER: "https://id.example.com", AUTH_AUDIENCE: "jobwire" }),
    );
    const iss = "https://id.example.com";
    expect((await verify(await token({ iss, aud: ["shop", "jobwire"] }))).principal.userId).toBe(
      "ann",
    );
    for (const claims of [{}, { iss }, { iss, aud: "shop" }, { iss: "x", aud: "jobwire" }]) {
      expect(await refusal(verify(await token(claims)))).toEqual(NOT_VALID);
    }
  });
});

/** A token with a valid signature and any header. */
function signed(header: object, claims: object = {}): string {
  const parts = [
    { alg: "HS256", ...header },
    { ...CLAIMS, exp: inSeconds(60), ...claims },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  const signature = createHmac("sha256", SECRET).update(parts.join(".")).digest("base64url");
  return [...parts, signature].join(".");
}

/** Replaces the user. */
function changed(jwt: string): string {
  const [header, , signature] = jwt.split(".");
  const payload = Buffer.from(JSON.stringify({ ...CLAIMS, sub: "bob", exp: inSeconds(60) }));
  return [header, payload.toString("base64url"), signature].join(".");
}

describe("[P2] a token of an identity provider", () => {
  const iss = "https://id.example.com";
  const aud = "jobwire";
  let pairs: Record<"first" | "second", Awaited<ReturnType<typeof generateKeyPair>>>;
  beforeAll(async () => {
    pairs = {
      first: await generateKeyPair("RS256", { extractable: true }),
      second: await generateKeyPair("RS256", { extractable: true }),
    };
  });

  const sign = (which: "first" | "second", claims: JWTPayload = {}, kid: string | null = which) =>
    new SignJWT({ ...CLAIMS, iss, aud, exp: inSeconds(60), ...claims })
      .setProtectedHeader({ alg: "RS256", ...(kid !== null && { kid }) })
      .sign(pairs[which].privateKey);

  /** Serves the keys that `published` names. */
  async function openProvider() {
    const published: ("first" | "second")[] = ["first"];
    let reads = 0;
    const state = { status: 200 };
    const server = createServer((_req, res) => {
      reads += 1;
      const keys = published.map(async (kid) => ({
        ...(await exportJWK(pairs[kid].publicKey)),
        kid,
        alg: "RS256",
      }));
      void Promise.all(keys).then((all) =>
        res.writeHead(state.status).end(JSON.stringify({ keys: all })),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const verify = createTokenVerifier(
      settings({
        AUTH_JWT_SECRET: undefined,
        AUTH_JWKS_URL: `http://127.0.0.1:${port}/jwks`,
        AUTH_ISSUER: iss,
        AUTH_AUDIENCE: aud,
      }),
    );
    return { verify, published, reads: () => reads, state };
  }

  test("is checked with the published keys, which are read once", async () => {
    const { verify, reads } = await openProvider();
    const valid = await sign("first");
    for (let n = 0; n < 3; n++) expect((await verify(valid)).principal.userId).toBe("ann");
    expect(reads()).toBe(1);
  });

  test("is valid at once when a new key signs, and the old key's tokens stay valid", async () => {
    const { verify, published } = await openProvider();
    await verify(await sign("first"));
    published.push("second");
    // The keys were read less than a second ago.
    const fresh = await vi.waitFor(async () => verify(await sign("second")));
    expect(fresh.principal.userId).toBe("ann");
    expect((await verify(await sign("first"))).principal.userId).toBe("ann");
  });

  test("that names no key is checked with each", async () => {
    const { verify, published } = await openProvider();
    published.push("second");
    expect((await verify(await sign("second", {}, null))).principal.userId).toBe("ann");
  });

  test.each<[what: string, given: () => Promise<string>]>([
    ["signed by a key that is not published", () => sign("second")],
    ["signed by another key under a published name", () => sign("second", {}, "first")],
    ["for another audience", () => sign("first", { aud: "shop" })],
    ["of another issuer", () => sign("first", { iss: "https://evil.example.com" })],
    [
      "of HS256 whose secret is the public key",
      async () =>
        new SignJWT({ ...CLAIMS, iss, aud, exp: inSeconds(60) })
          .setProtectedHeader({ alg: "HS256", kid: "first" })
          .sign(bytes(await exportSPKI(pairs.first.publicKey))),
    ],
    ["of HS256 with any secret", () => token({ iss, aud })],
  ])("%s is not valid", async (_what, given) => {
    const { verify } = await openProvider();
    expect(await refusal(verify(await given()))).toEqual(NOT_VALID);
  });

  test("gets UNAVAILABLE, never access, while the keys cannot be read", async () => {
    const { verify, state, reads } = await openProvider();
    state.status = 500;
    const valid = await sign("first");
    expect(await refusal(verify(valid))).toEqual({
      code: "UNAVAILABLE",
      message: "The server could not check your token. Try again.",
    });
    // However many tokens arrive, a provider in trouble is not asked by each.
    for (let n = 0; n < 20; n++) await refusal(verify(valid));
    expect(reads()).toBe(1);
    state.status = 200;
    expect((await vi.waitFor(() => verify(valid))).principal.userId).toBe("ann");
  });
});
