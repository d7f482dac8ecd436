/** For tests: a real provider of OpenID Connect on this machine, which can be made to err. */
import { createServer, type RequestListener, type Server } from "node:http";
import { decodeJwt, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { type Context, Provider } from "oidc-provider";
import { freePort } from "#test/free-port.ts";

export const CLIENT_ID = "jobwire";
export const CLIENT_SECRET = "a secret of the tests, of the client";

export interface TestProvider {
  /** At 127.0.0.1, so that a server at `localhost` is another site. */
  readonly issuer: string;
  /** The variables of a server whose page has this address. */
  envFor(publicUrl: string): Record<string, string>;
  /** Accounts without an entry are of the tenant `acme`; `undefined`: the claim is missing. */
  readonly tenants: Map<string, string | undefined>;
  /** Changes the claims of id_tokens, which the provider then signs. */
  changeClaims: ((claims: JWTPayload) => JWTPayload) | undefined;
  /** Answers in place of the provider. Returns false where the provider is to answer. */
  intercept: ((...request: Parameters<RequestListener>) => boolean) | undefined;
  /** Paths of all requests, without their queries. */
  readonly requests: string[];
  /** Signs with a new key from now on, and publishes no other. */
  rotateKey(): Promise<void>;
  /** Refuses connections until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startOidcProvider(redirectTo: readonly string[]): Promise<TestProvider> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const requests: string[] = [];
  const tenants = new Map<string, string | undefined>();
  let serve: RequestListener;
  let server: Server | undefined;

  async function rotateKey(): Promise<void> {
    const kid = `key-${Math.random()}`;
    const { privateKey } = await generateKeyPair("RS256", { extractable: true });
    const jwk = { ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" };
    const provider = new Provider(issuer, {
      jwks: { keys: [jwk] },
      clients: [
        {
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          redirect_uris: redirectTo.map((url) => `${url}/auth/oidc/callback`),
        },
      ],
      ttl: {
        AccessToken: 600,
        AuthorizationCode: 60,
        Grant: 600,
        IdToken: 600,
        Interaction: 600,
        Session: 600,
      },
      cookies: { keys: ["a key of the tests"] },
      claims: { openid: ["sub", "tenant"] },
      conformIdTokenClaims: false,
      findAccount: (_context: unknown, accountId: string) => ({
        accountId,
        claims: () => ({
          sub: accountId,
          tenant: tenants.has(accountId) ? tenants.get(accountId) : "acme",
        }),
      }),
      // The provider asks for no consent.
      async loadExistingGrant({ oidc: { client, session } }: Context) {
        const known = session.grantIdFor(client.clientId);
        if (known !== undefined) return provider.Grant.find(known);
        const grant = new provider.Grant({
          clientId: client.clientId,
          accountId: session.accountId,
        });
        grant.addOIDCScope("openid");
        await grant.save();
        return grant;
      },
    });
    provider.use(async (context, next) => {
      await next();
      const body = context.body as { id_token?: string } | undefined;
      if (context.path !== "/token" || body?.id_token === undefined) return;
      const { changeClaims } = fixture;
      if (changeClaims === undefined) return;
      body.id_token = await new SignJWT(changeClaims(decodeJwt(body.id_token)))
        .setProtectedHeader({ alg: "RS256", kid })
        .sign(privateKey);
    });
    serve = provider.callback();
  }

  const fixture: TestProvider = {
    issuer,
    envFor: (publicUrl) => ({
      OIDC_ISSUER: issuer,
      OIDC_CLIENT_ID: CLIENT_ID,
      OIDC_CLIENT_SECRET: CLIENT_SECRET,
      OIDC_NAME: "Acme ID",
      PUBLIC_URL: publicUrl,
    }),
    tenants,
    changeClaims: undefined,
    intercept: undefined,
    requests,
    rotateKey,
    async stop() {
      const stopped = server;
      server = undefined;
      stopped?.closeAllConnections();
      await new Promise((resolve) =>
        stopped === undefined ? resolve(undefined) : stopped.close(resolve),
      );
    },
    async start() {
      const started = createServer((req, res) => {
        requests.push((req.url ?? "").split("?", 1)[0] ?? "");
        if (fixture.intercept?.(req, res) !== true) serve(req, res);
      });
      server = started;
      await new Promise<void>((resolve) => started.listen(port, "127.0.0.1", resolve));
    },
  };
  await rotateKey();
  await fixture.start();
  return fixture;
}
