/**
 * Signing in and out with a cookie, for browsers: `POST /auth/sign-in`, `POST /auth/sign-out`, `GET /auth/me`. Answers are
 * JSON (`shared/sign-in.ts`).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ROUTES } from "#server/auth/permissions.ts";
import { discardBody } from "#server/transports/body.ts";
import type {
  Caller,
  SignInContext,
  SignInCookie,
  Transport,
  TransportContext,
} from "#server/transports/contract.ts";
import { countCall } from "#server/transports/count-call.ts";
import { setRetryAfter } from "#server/transports/refusals.ts";
import { createTroubleLog } from "#server/transports/trouble-log.ts";
import { AppError, type ErrorCode } from "#shared/errors.ts";
import { publicMessageOf } from "#shared/public-message.ts";
import type { SignedIn, SignInMethod, SignInRefused } from "#shared/sign-in.ts";
import { codeOfStatus, STATUS } from "./errors.ts";
import { readSignIn } from "./sign-in-request.ts";

const PATH = "/auth";
const METHODS: readonly SignInMethod[] = ["token"];

export const AUTH_ROUTES = ["/auth/sign-in", "/auth/sign-out", "/auth/me"] as const;
type AuthRoute = (typeof AUTH_ROUTES)[number];

/** A path without a requirement in the table is served to no caller. */
function isRoute(path: string): path is AuthRoute {
  return (AUTH_ROUTES as readonly string[]).includes(path) && ROUTES.get(path) === "anyone";
}

type Route = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

export function createAuthTransport(
  { identify, limits, log }: Pick<TransportContext, "identify" | "limits" | "log">,
  { signIns, cookies }: SignInContext,
): Transport {
  const tell = createTroubleLog(log);

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
    await countCall(limits, caller.principal);
    const before = cookies.secretIn(req.headers);
    const { secret, signIn: made } = await signIns.begin({
      credential: { kind: "token", id: null },
      ...caller,
    });
    // The cookie of the one before is replaced.
    if (before !== undefined) await signIns.end(before);
    res.setHeader("Set-Cookie", cookie.set(secret, made.expiresAt - made.madeAt));
    const { id: signInId, expiresAt } = made;
    answer(res, 200, signedIn({ ...caller, expiresAt, signInId }));
  }

  async function signOut(req: IncomingMessage, res: ServerResponse): Promise<void> {
    discardBody(req);
    const cookie = cookieOf(req);
    const secret = cookies.secretIn(req.headers);
    if (secret !== undefined) await signIns.end(secret);
    res.setHeader("Set-Cookie", cookie.clear());
    answer(res, 200, { methods: METHODS });
  }

  async function me(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { headers } = req;
    const caller = await identify({ headers, address: limits?.addresses.keyOf(req) });
    await countCall(limits, caller.principal);
    answer(res, 200, signedIn(caller));
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

  const routes: Readonly<Record<AuthRoute, { method: "GET" | "POST"; serve: Route }>> = {
    "/auth/sign-in": { method: "POST", serve: signIn },
    "/auth/sign-out": { method: "POST", serve: signOut },
    "/auth/me": { method: "GET", serve: me },
  };

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = (req.url ?? "").split("?", 1)[0] ?? "";
    if (!isRoute(path)) {
      discardBody(req);
      throw new AppError("NOT_FOUND", `Not found. Use ${AUTH_ROUTES.join(", ")}.`);
    }
    const route = routes[path];
    const { method } = route;
    if (req.method !== method) {
      discardBody(req);
      res.setHeader("Allow", method);
      return answer(res, 405, refused("BAD_REQUEST", `Use ${method}.`));
    }
    await route.serve(req, res);
  }

  return {
    name: "auth",
    access: (path) => (path === PATH || path.startsWith(`${PATH}/`) ? "data" : undefined),
    request(req, res) {
      serve(req, res).catch((error: unknown) => {
        const code = error instanceof AppError ? error.code : "INTERNAL";
        if (STATUS[code] >= 500) tell(error, "A request for a sign-in failed");
        setRetryAfter(res, error);
        const retryAfterMs = error instanceof AppError ? error.retryAfterMs : undefined;
        answer(res, STATUS[code], refused(code, publicMessageOf(error), retryAfterMs));
      });
    },
    refusal: (status, message, retryAfterMs) =>
      JSON.stringify(refused(codeOfStatus(status), message, retryAfterMs)),
    async close() {},
  };
}

function signedIn({ principal, expiresAt, signInId }: Caller): SignedIn {
  return {
    user: principal.userId,
    tenant: principal.tenantId,
    scopes: principal.scopes,
    ...(expiresAt !== undefined && { expiresAt }),
    byCookie: signInId !== undefined,
    methods: [...METHODS],
  };
}

function refused(code: ErrorCode, message: string, retryAfterMs?: number): SignInRefused {
  const error = { code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  return { error, methods: [...METHODS] };
}

function answer(res: ServerResponse, status: number, body: object): void {
  if (res.headersSent) return;
  res
    .writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" })
    .end(JSON.stringify(body));
}
