/**
 * Signing in at a provider of OpenID Connect: the code flow with PKCE, `state` and `nonce`. openid-client checks the answers;
 * this module bounds them, and says who signed in.
 */
import {
  allowInsecureRequests,
  AuthorizationResponseError,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  type ClientAuth,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  customFetch,
  enableNonRepudiationChecks,
  type IDToken,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  ResponseBodyError,
  type ServerMetadata,
  WWWAuthenticateChallengeError,
} from "openid-client";
import { principalOf, type TenantSettings } from "#server/auth/claims.ts";
import type { OidcSettings } from "#server/auth/oidc-variables.ts";
import type { CredentialRef } from "#shared/checked-caller.ts";
import type { Principal } from "#shared/principal.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import { createDiscovery } from "./discovery.ts";
import { createPendingSeal, type Pending } from "./pending.ts";
import { OidcProblem } from "./problem.ts";
import { reasonOf } from "./reason.ts";
import { OIDC_CALLBACK } from "./routes.ts";

/** Callbacks that wait for the provider. */
export const MAX_CALLBACKS = 100;

interface Proof {
  /** As the provider calls it. */
  method: string;
  add: ClientAuth;
}

export interface OidcProvider {
  /** For people. */
  readonly name: string;
  /** The origin of the page. */
  readonly publicUrl: string;
  /** The path below which the page is: `/jobs`, or "". */
  readonly basePath: string;
  /** `returnTo`: a path of the page, or `null` for a window that is to close. Rejects with `OidcProblem`. */
  begin(returnTo: string | null): Promise<Begun>;
  /** Resolves to the sign-in that this server began and sealed with this state, unless it is too old. */
  open(sealed: string, state: string): Promise<Pending | undefined>;
  /** `query`: what the provider sent, with the `?`. Rejects with `OidcProblem`. */
  finish(query: string, pending: Pending): Promise<Finished>;
}

interface Begun {
  /** Of the provider, for the browser to open. */
  address: string;
  state: string;
  /** For a cookie. */
  sealed: string;
}

interface Finished {
  principal: Principal;
  credential: CredentialRef;
}

export function createOidcProvider(
  settings: OidcSettings & TenantSettings & { basePath?: string | undefined },
  now: () => Date,
): OidcProvider {
  const { clientId, clientSecret, publicUrl, issuer, basePath = "" } = settings;
  const discover = createDiscovery(settings);
  const seal = createPendingSeal(settings, now);
  const callback = publicUrl + basePath + OIDC_CALLBACK;
  const isHttp = new URL(issuer).protocol === "http:";
  let waiting = 0;
  /** How this server proves its identity to the provider, the way that worked last first. */
  let proofs: readonly Proof[] = [
    { method: "client_secret_basic", add: ClientSecretBasic(clientSecret) },
    { method: "client_secret_post", add: ClientSecretPost(clientSecret) },
  ];

  async function metadataOf(): Promise<ServerMetadata> {
    try {
      return await discover();
    } catch (error) {
      throw new OidcProblem(
        "unavailable",
        `What it says of itself cannot be used: ${reasonOf(error)}`,
      );
    }
  }

  /** A new one reads the keys anew, so that a key that the provider has just begun to use is known, and a withdrawn one not. */
  function configure(metadata: ServerMetadata, proof: ClientAuth | undefined): Configuration {
    const configuration = new Configuration(metadata, clientId, undefined, proof);
    configuration[customFetch] = boundedFetch;
    enableNonRepudiationChecks(configuration);
    if (isHttp) allowInsecureRequests(configuration);
    return configuration;
  }

  async function exchange(query: string, pending: Pending): Promise<IDToken> {
    const metadata = await metadataOf();
    const address = new URL(callback + query);
    const checks = {
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.verifier,
      idTokenExpected: true,
    };
    const tried = supported(proofs, metadata);
    for (const proof of tried) {
      try {
        const configuration = configure(metadata, proof.add);
        const answer = await authorizationCodeGrant(configuration, address, { ...checks });
        proofs = [proof, ...proofs.filter((other) => other !== proof)];
        const claims = answer.claims();
        if (claims !== undefined) return claims;
      } catch (error) {
        if (proof === tried.at(-1) || !isUnproven(error)) throw problemOf(error);
      }
    }
    throw new OidcProblem("refused", "The provider sent no id_token.");
  }

  return {
    name: settings.name,
    publicUrl,
    basePath,
    async begin(returnTo) {
      const configuration = configure(await metadataOf(), undefined);
      const pending: Pending = {
        state: randomState(),
        nonce: randomNonce(),
        verifier: randomPKCECodeVerifier(),
        returnTo,
      };
      const address = buildAuthorizationUrl(configuration, {
        redirect_uri: callback,
        scope: settings.requested,
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await calculatePKCECodeChallenge(pending.verifier),
        code_challenge_method: "S256",
      });
      return { address: address.href, state: pending.state, sealed: await seal.seal(pending) };
    },
    async open(sealed, state) {
      const pending = await seal.open(sealed);
      return pending?.state === state ? pending : undefined;
    },
    async finish(query, pending) {
      if (waiting >= MAX_CALLBACKS) {
        throw new OidcProblem("busy", `${MAX_CALLBACKS} sign-ins wait for the provider.`);
      }
      waiting += 1;
      try {
        const claims = await exchange(query, pending);
        const named = principalOf(claims, settings.granted, settings);
        if ("principal" in named) {
          return { principal: named.principal, credential: { kind: "oidc", id: issuer } };
        }
        throw new OidcProblem(
          named.claim === "sub" ? "no user" : "no tenant",
          `The claim ${JSON.stringify(named.claim)} cannot be used: ${named.fault}`,
        );
      } finally {
        waiting -= 1;
      }
    },
  };
}

/** A client is registered with one way to prove its identity, and the provider says only which ways it has. */
function supported(proofs: readonly Proof[], metadata: ServerMetadata): readonly Proof[] {
  const methods = metadata.token_endpoint_auth_methods_supported;
  const some = proofs.filter(({ method }) => methods?.includes(method) ?? true);
  return some.length === 0 ? proofs : some;
}

/** The provider did not accept how this server proved its identity. It has not used up the code. */
function isUnproven(error: unknown): boolean {
  if (error instanceof WWWAuthenticateChallengeError) return error.status === 401;
  if (!(error instanceof ResponseBodyError)) return false;
  return error.status === 401 || error.error === "invalid_client";
}

/** The provider did not answer, or answered with an error of its own. */
const UNAVAILABLE: ReadonlySet<string> = new Set(["server_error", "temporarily_unavailable"]);

function problemOf(error: unknown): OidcProblem {
  if (error instanceof OidcProblem) return error;
  const reason = reasonOf(error);
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    const isAboutPerson = error instanceof AuthorizationResponseError;
    if (isAboutPerson && error.error === "access_denied") return new OidcProblem("denied", reason);
    return new OidcProblem(UNAVAILABLE.has(error.error) ? "unavailable" : "refused", reason);
  }
  if (error instanceof WWWAuthenticateChallengeError) return new OidcProblem("refused", reason);
  return new OidcProblem(isAboutAnswer(error) ? "refused" : "unavailable", reason);
}

/** Codes of openid-client for an id_token, or another part of an answer, that was read and does not fit. */
const ABOUT_ANSWER: ReadonlySet<unknown> = new Set([
  "OAUTH_JWT_CLAIM_COMPARISON_FAILED",
  "OAUTH_JWT_TIMESTAMP_CHECK_FAILED",
  "OAUTH_INVALID_RESPONSE",
  "OAUTH_KEY_SELECTION_FAILED",
  "OAUTH_UNSUPPORTED_OPERATION",
]);

function isAboutAnswer(error: unknown): boolean {
  return error instanceof ClientError && ABOUT_ANSWER.has(error.code);
}
