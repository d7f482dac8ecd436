/** The environment variables of signing in with OpenID Connect, and the combinations that cannot work. */
import { z } from "zod";
import { isPrivateWay } from "#shared/loopback.ts";
import { PERSON_SCOPES, SCOPES } from "#shared/scopes.ts";
import { type SettingsOf, text, type Variables } from "#shared/variables.ts";

/** The key of pending sign-ins is derived from the secret, and sealed ones can be had by everyone: a short one could be guessed. */
const MIN_SECRET_CHARS = 16;
const MAX_NAME_CHARS = 40;

const secret = z
  .string()
  .trim()
  .min(
    MIN_SECRET_CHARS,
    `must have ${MIN_SECRET_CHARS} characters or more, as those of providers do`,
  );

const ADDRESS = "begins with https://, or with http:// on this machine";

/** Kept as it is written: an issuer is compared letter by letter. */
const issuer = z.string().refine((value) => {
  const url = URL.parse(value);
  return (
    url !== null && isPrivateWay(url) && url.username + url.password + url.search + url.hash === ""
  );
}, `must be the address of the issuer, which ${ADDRESS}, without a query`);

const origin = z
  .string()
  .refine((value) => {
    const url = URL.parse(value);
    return (
      url !== null && isPrivateWay(url) && `${url.origin}/` === url.href && !/[?#]/.test(value)
    );
  }, `must be the address of the page, which ${ADDRESS}, without a path: https://jobs.example.com`)
  .transform((value) => new URL(value).origin);

const NAMES = /^[\w:./-]+(?: +[\w:./-]+)*$/;
const requested = z
  .string()
  .regex(NAMES, "must be names with spaces between")
  .transform((value) => value.split(/ +/))
  .refine((names) => names.includes("openid"), "must contain openid")
  .transform((names) => [...new Set(names)].join(" "));

const GRANTABLE: readonly string[] = SCOPES.filter((scope) => scope !== "operator");
const granted = z
  .string()
  .transform((value) => value.split(/[ ,]+/).filter((name) => name !== ""))
  .refine(
    (names) => names.every((name) => GRANTABLE.includes(name)),
    `must be scopes with spaces between, of ${GRANTABLE.join(", ")}`,
  )
  .transform((names) => [...new Set(names)]);

export const OIDC_VARIABLES = {
  OIDC_ISSUER: {
    schema: issuer,
    unset: "people sign in with a key or token",
    about:
      "The issuer of an OpenID Connect provider at which people sign in to the page. Needs the next three.",
  },
  OIDC_CLIENT_ID: {
    schema: text,
    unset: "none",
    about: "The id of this server at the provider.",
  },
  OIDC_CLIENT_SECRET: {
    schema: secret,
    unset: "none",
    about: `The secret of this server at the provider; ${MIN_SECRET_CHARS} characters or more. The same on all gateways.`,
  },
  PUBLIC_URL: {
    schema: origin,
    unset: "none",
    about:
      "The address of the page as people see it, without a path. The provider sends people back to `/auth/oidc/callback` below it, or below BASE_PATH or the path of `attach`. Counts as an entry of FRONTEND_URL.",
  },
  OIDC_NAME: {
    schema: text.max(MAX_NAME_CHARS, `must have at most ${MAX_NAME_CHARS} characters`),
    unset: "the host of OIDC_ISSUER",
    about: "The name of the provider on the button `Sign in with …`.",
  },
  OIDC_SCOPES: {
    schema: requested,
    default: "openid",
    about:
      "The scopes that the server asks the provider for, spaces between. They decide which claims the provider sends, and grant nothing here.",
  },
  OIDC_GRANTS: {
    schema: granted,
    default: PERSON_SCOPES.join(" "),
    about:
      "The scopes of this server that people have who signed in at the provider, spaces between. `operator` cannot be granted.",
  },
} as const satisfies Variables;

export type OidcVariables = SettingsOf<typeof OIDC_VARIABLES>;

/** The variables of a server that has a provider. */
export interface OidcSettings {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** An origin. */
  publicUrl: string;
  name: string;
  /** With spaces between. */
  requested: string;
  granted: readonly string[];
}

/** Returns `undefined` if there is no provider. */
export function oidcSettings(settings: OidcVariables): OidcSettings | undefined {
  const { OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, PUBLIC_URL } = settings;
  if (OIDC_ISSUER === undefined || OIDC_CLIENT_ID === undefined) return undefined;
  if (OIDC_CLIENT_SECRET === undefined || PUBLIC_URL === undefined) return undefined;
  return {
    issuer: OIDC_ISSUER,
    clientId: OIDC_CLIENT_ID,
    clientSecret: OIDC_CLIENT_SECRET,
    publicUrl: PUBLIC_URL,
    name: settings.OIDC_NAME ?? new URL(OIDC_ISSUER).host,
    requested: settings.OIDC_SCOPES,
    granted: settings.OIDC_GRANTS,
  };
}

const TOGETHER = {
  OIDC_ISSUER: "the address of the provider",
  OIDC_CLIENT_ID: "the id that the provider gave this server",
  OIDC_CLIENT_SECRET: "the secret that the provider gave this server",
  PUBLIC_URL: "the address of the page as people see it, such as https://jobs.example.com",
} as const satisfies Partial<Record<keyof typeof OIDC_VARIABLES, string>>;

/** Returns messages for variables that are valid separately, but not together. */
export function oidcConflicts(settings: OidcVariables): string[] {
  const names = Object.keys(TOGETHER) as (keyof typeof TOGETHER)[];
  const given = names.filter((name) => settings[name] !== undefined);
  const missing = names.filter((name) => settings[name] === undefined);
  const [first = "OIDC_NAME"] = given;
  if (given.length === 0 && settings.OIDC_NAME === undefined) return [];
  return missing.map((name) => `${first} needs ${name}, ${TOGETHER[name]}`);
}
