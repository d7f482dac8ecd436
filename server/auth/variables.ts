/** The environment variables of authentication, and the combinations that cannot work. */
import {
  address,
  flag,
  type SettingsOf,
  text,
  type Variables,
  wholeNumber,
} from "#shared/variables.ts";
import { z } from "zod";
import type { SignInMethod } from "#shared/sign-in.ts";
import { MAX_PRINCIPAL_CHARS } from "#shared/limits.ts";
import { OIDC_VARIABLES, oidcConflicts } from "./oidc-variables.ts";

/** RFC 7518 (3.2): a key of HS256 has at least as many bits as its hash. */
const MIN_SECRET_BYTES = 32;

/** Pasted secrets bring line ends along. */
const secret = z
  .string()
  .trim()
  .refine(
    (value) => Buffer.byteLength(value) >= MIN_SECRET_BYTES,
    `must have ${MIN_SECRET_BYTES} bytes or more. \`openssl rand -base64 48\` prints one`,
  );
const url = address(/^https?$/, "must be an address that begins with https:// or http://");
const id = text.max(MAX_PRINCIPAL_CHARS, `must have at most ${MAX_PRINCIPAL_CHARS} characters`);

export const AUTH_VARIABLES = {
  AUTH_JWT_SECRET: {
    schema: secret,
    unset: "no tokens of a shared secret",
    about:
      "The secret of tokens (JWT, HS256) that your program signs; 32 bytes or more. With it or AUTH_JWKS_URL every request needs a token.",
  },
  AUTH_JWT_PREVIOUS_SECRET: {
    schema: secret,
    unset: "none",
    about: "The secret before, while tokens that it signed are still in use.",
  },
  AUTH_JWKS_URL: {
    schema: url,
    unset: "no tokens of an identity provider",
    about:
      "The address of an identity provider's public keys (JWKS), for tokens that it signs. Needs AUTH_ISSUER and AUTH_AUDIENCE.",
  },
  AUTH_ISSUER: {
    schema: text,
    unset: "not checked",
    about: "The `iss` that tokens must have.",
  },
  AUTH_AUDIENCE: {
    schema: text,
    unset: "not checked",
    about: "The `aud` that tokens must have.",
  },
  AUTH_TENANT_CLAIM: {
    schema: text,
    default: "tenant",
    about: "The claim of tokens, also of those of OIDC_ISSUER, that names the tenant.",
  },
  AUTH_DEFAULT_TENANT: {
    schema: id,
    unset: "tokens without a tenant are refused",
    about: "The tenant of tokens that name none.",
  },
  AUTH_API_KEYS: {
    schema: flag,
    unset: "accepted where tokens or OIDC_ISSUER are configured",
    about:
      "Whether API keys are accepted. With `true` every request needs a key or a token, also where no tokens are configured. `npx jobwire keys create` makes keys.",
  },
  ALLOW_ANONYMOUS: {
    schema: flag,
    default: "false",
    about:
      "With `true`, a server that other machines can reach starts without sign-in: every caller is the same user, who sees and changes all jobs.",
  },
  AUTH_SIGN_IN_IDLE_HOURS: {
    schema: wholeNumber(1, 8760),
    default: "24",
    about: "Hours after which a sign-in of the page ends if it is not used.",
  },
  AUTH_SIGN_IN_DAYS: {
    schema: wholeNumber(1, 365),
    default: "7",
    about:
      "Days after which a sign-in of the page ends, however much it is used. It never outlives the token that it was made with.",
  },
  AUTH_COOKIE_SAMESITE: {
    schema: z.enum(["lax", "none"], "must be lax or none"),
    default: "lax",
    about:
      "With `none`, browsers that permit it send the cookie of a sign-in also from pages of other sites, if CORS_ORIGINS or FRONTEND_URL lists their origin whole. It is `Secure` and `Partitioned` then.",
  },
  ...OIDC_VARIABLES,
} as const satisfies Variables;

export type AuthSettings = SettingsOf<typeof AUTH_VARIABLES>;

/** True if callers need a token, an API key or a sign-in. */
export function needsToken(settings: AuthSettings): boolean {
  return readsClaims(settings) || settings.AUTH_API_KEYS === true;
}

export function acceptsApiKeys(settings: AuthSettings): boolean {
  return settings.AUTH_API_KEYS ?? readsClaims(settings);
}

/** The ways in which people can sign in to the page. */
export function signInMethods(settings: AuthSettings): SignInMethod[] {
  const methods: SignInMethod[] = settings.OIDC_ISSUER === undefined ? [] : ["oidc"];
  if (checksTokens(settings) || acceptsApiKeys(settings)) methods.push("token");
  return methods;
}

/** True if a token, or a provider that people sign in at, says who the caller is. */
function readsClaims(settings: AuthSettings): boolean {
  return checksTokens(settings) || settings.OIDC_ISSUER !== undefined;
}

function checksTokens(settings: AuthSettings): boolean {
  return settings.AUTH_JWT_SECRET !== undefined || settings.AUTH_JWKS_URL !== undefined;
}

/** Returns messages for variables that are valid separately, but not together. */
export function authConflicts(settings: AuthSettings): string[] {
  const lines = oidcConflicts(settings);
  const { AUTH_JWKS_URL: jwks } = settings;
  if (settings.AUTH_JWT_PREVIOUS_SECRET !== undefined && settings.AUTH_JWT_SECRET === undefined) {
    lines.push("AUTH_JWT_PREVIOUS_SECRET needs AUTH_JWT_SECRET, the secret of new tokens");
  }
  for (const name of ["AUTH_ISSUER", "AUTH_AUDIENCE"] as const) {
    if (jwks !== undefined && settings[name] === undefined) {
      lines.push(
        `AUTH_JWKS_URL needs ${name}: the same keys may sign tokens that are meant for other programs`,
      );
    }
  }
  if (settings.ALLOW_ANONYMOUS) {
    const signIn = (
      ["AUTH_JWT_SECRET", "AUTH_JWKS_URL", "OIDC_ISSUER", "AUTH_API_KEYS"] as const
    ).filter((name) => settings[name]);
    for (const name of signIn) {
      lines.push(`ALLOW_ANONYMOUS=true contradicts ${name}, with which every caller must sign in`);
    }
  }
  if (checksTokens(settings)) return lines;
  for (const name of ["AUTH_ISSUER", "AUTH_AUDIENCE"] as const) {
    if (settings[name] === undefined) continue;
    lines.push(`${name} needs AUTH_JWT_SECRET or AUTH_JWKS_URL: without them no token is checked`);
  }
  if (settings.AUTH_DEFAULT_TENANT !== undefined && !readsClaims(settings)) {
    lines.push(
      "AUTH_DEFAULT_TENANT needs AUTH_JWT_SECRET, AUTH_JWKS_URL or OIDC_ISSUER: without them no token is checked",
    );
  }
  return lines;
}
