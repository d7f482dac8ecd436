/**
 * Signing in and out with a cookie, for browsers: `POST /auth/sign-in`, `POST /auth/sign-out`, `GET /auth/me`. Answers are
 * JSON (`shared/sign-in.ts`). `oidc-routes.ts` has the addresses for signing in at a provider.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ROUTES } from "#server/auth/permissions.ts";
import { OIDC_CALLBACK, OIDC_START } from "#server/oidc/routes.ts";
import { discardBody } from "#server/transports/requests/body.ts";
import type {
  Caller,
  SignInContext,
  SignInCookie,
  Transport,
  TransportContext,
} from "#server/transports/contract.ts";
import { countCall } from "#server/transports/limits/count-call.ts";
import { signInOutcomeOf } from "#server/transports/observer.ts";
import { setRetryAfter } from "#server/transports/requests/refusals.ts";
import { codeOfStatus, STATUS } from "#server/transports/requests/status.ts";
import { createTroubleLog } from "#server/transports/trouble-log.ts";
import { AppError, type ErrorCode } from "#shared/errors.ts";
import { publicMessageOf } from "#shared/public-message.ts";
import type { SignedIn, SignInRefused, SignInWays } from "#shared/sign-in.ts";
import { createOidcRoutes } from "./oidc-routes.ts";
import { readSignIn } from "./sign-in-request.ts";

const PATH = "/auth";
const SIGN_IN = "/auth/sign-in";

export const AUTH_ROUTES = [
  SIGN_IN,
  "/auth/sign-out",
  "/auth/me",
  OIDC_START,
  OIDC_CALLBACK,
] as const;
type AuthRoute = (typeof AUTH_ROUTES)[number];

/** A path without a requirement in the table is served to no caller. */
function isRoute(path: string): path is AuthRoute {
  return (AUTH_ROUTES as readonly string[]).includes(path) && ROUTES.get(path) === "anyone";
}

interface Route {
  method: "GET" | "POST";
  serve: (req: IncomingMessage, res: ServerResponse) => Promise<void>;
}

export function createAuthTransport(
  {
    identify,
    limits,
    log,
    observer,
  }: Pick<TransportContext, "identify" | "limits" | "log" | "observer">,
  context: SignInContext,
): Transport {
  const { signIns, cookies, provider } = context;
  const tell = createTroubleLog(log);
  const oidc = provider && createOidcRoutes({ ...context, provider, limits, observer }, tell);
  const ways: SignInWays = {
    methods: [...context.methods],
    ...(provider && {
      provider: { name: provider.name, url: provider.publicUrl + provider.basePath + OIDC_START },
    }),
  };

  async function signIn(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const cookie = cookieOf(req);
    const request = await readSignIn(req);
    if (request === undefined) return;
    let caller: Caller;
    try {
      const address = limits?.addresses.keyOf(req);
      caller = await identify({ headers: {}, token: request.token, address });
    } catch (error) {
      const from = limits?.addresses.of(req) ?? req.socket.remoteAddress;
      tell(new Error(`A sign-in from ${from} was refused.`, { cause: error }), "A sign-in failed");
      throw error;
    }
    if (caller.maker !== undefined) {
      throw new AppError("FORBIDDEN", "This token shows one job or batch. It cannot sign in.");
    }
    await countCall(limits, caller.principal);
    const before = cookies.secretIn(req.headers);
    const { principal, credential = { kind: "token", id: null } } = caller;
    const begun = { principal, credential, expiresAt: caller.expiresAt };
    const { secret, signIn: made } = await signIns.begin(begun);
    // The cookie of the one before is replaced.
    if (before !== undefined) await signIns.end(before);
    res.setHeader("Set-Cookie", cookie.set(secret, made.expiresAt - made.madeAt));
    const { id: signInId, expiresAt } = made;
    observer?.signedIn("token", "accepted");
    answer(res, 200, signedIn({ ...caller, expiresAt, signInId }, ways));
  }

  async function signOut(req: IncomingMessage, res: ServerResponse): Promise<void> {
    discardBody(req);
    const cookie = cookieOf(req);
    const secret = cookies.secretIn(req.headers);
    if (secret !== undefined) await signIns.end(secret);
    res.setHeader("Set-Cookie", cookie.clear());
    answer(res, 200, ways);
  }

  async function me(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { headers } = req;
    const caller = await identify({ headers, address: limits?.addresses.keyOf(req) });
    await countCall(limits, caller.principal);
    answer(res, 200, signedIn(caller, ways));
  }

  /** Throws `FORBIDDEN` for a page that is not ours and not listed by name, and where no cookie would be safe. */
  function cookieOf(req: IncomingMessage): SignInCookie {
    const cookie = cookies.cookieFor(req.headers);
    if (cookie !== undefined) return cookie;
    discardBody(req);
    throw new AppError(
      "FORBIDDEN",
      "Only a page of this server, or of an origin that CORS_ORIGINS lists without `*`, may sign in, and only over https " +
        "or on this machine.",
    );
  }

  const routes: Readonly<Record<AuthRoute, Route | undefined>> = {
    [SIGN_IN]: { method: "POST", serve: signIn },
    "/auth/sign-out": { method: "POST", serve: signOut },
    "/auth/me": { method: "GET", serve: me },
    [OIDC_START]: oidc && { method: "GET", serve: oidc.start },
    [OIDC_CALLBACK]: oidc && { method: "GET", serve: oidc.callback },
  };

  const present = AUTH_ROUTES.filter((path) => routes[path] !== undefined);

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = (req.url ?? "").split("?", 1)[0] ?? "";
    const route = isRoute(path) ? routes[path] : undefined;
    if (route === undefined) {
      discardBody(req);
      throw new AppError("NOT_FOUND", `Not found. Use ${present.join(", ")}.`);
    }
    const { method } = route;
    if (req.method !== method) {
      discardBody(req);
      res.setHeader("Allow", method);
      return answer(res, 405, refused("BAD_REQUEST", `Use ${method}.`, { ways }));
    }
    // Browsers send no `Origin` when a window opens an address, and a script has no use for these pages.
    if (isForWindows(path) && req.headers.origin !== undefined) {
      throw new AppError("FORBIDDEN", "Open this address in a window, not with a script.");
    }
    await route.serve(req, res);
  }

  return {
    name: "auth",
    // They are small, and about credentials.
    mayCompress: () => false,
    access(path) {
      // The provider, a page of another site, sends people here.
      if (isForWindows(path)) return "link";
      return path === PATH || path.startsWith(`${PATH}/`) ? "data" : undefined;
    },
    request(req, res) {
      serve(req, res).catch((error: unknown) => {
        const code = error instanceof AppError ? error.code : "INTERNAL";
        observer?.callFailed("auth", code);
        if (isSignIn(req)) observer?.signedIn("token", signInOutcomeOf(code));
        if (STATUS[code] >= 500) tell(error, "A request for a sign-in failed");
        setRetryAfter(res, error);
        const retryAfterMs = error instanceof AppError ? error.retryAfterMs : undefined;
        answer(res, STATUS[code], refused(code, publicMessageOf(error), { ways, retryAfterMs }));
      });
    },
    refusal: (status, message, retryAfterMs) =>
      JSON.stringify(refused(codeOfStatus(status), message, { ways, retryAfterMs })),
    async close() {},
  };
}

function isSignIn({ url = "" }: IncomingMessage): boolean {
  return url.split("?", 1)[0] === SIGN_IN;
}

function isForWindows(path: string): boolean {
  return path === OIDC_START || path === OIDC_CALLBACK;
}

function signedIn({ principal, expiresAt, signInId }: Caller, ways: SignInWays): SignedIn {
  return {
    user: principal.userId,
    tenant: principal.tenantId,
    scopes: principal.scopes,
    ...(expiresAt !== undefined && { expiresAt }),
    byCookie: signInId !== undefined,
    ...ways,
  };
}

function refused(
  code: ErrorCode,
  message: string,
  { ways, retryAfterMs }: { ways: SignInWays; retryAfterMs?: number | undefined },
): SignInRefused {
  const error = { code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  return { error, ...ways };
}

function answer(res: ServerResponse, status: number, body: object): void {
  if (res.headersSent) return;
  res
    .writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" })
    .end(JSON.stringify(body));
}
