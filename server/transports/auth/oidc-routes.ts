/**
 * Signing in at a provider of OpenID Connect, in a window of the browser:
 *
 *   GET /auth/oidc/start ──► the provider ──► GET /auth/oidc/callback ──► the page, signed in
 *
 * `start` takes `return`, a path of the page, or `close=1` for a window that closes itself at the end. Answers are pages and
 * redirects, for people.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Pending } from "#server/oidc/pending.ts";
import { OidcProblem } from "#server/oidc/problem.ts";
import type { OidcProvider } from "#server/oidc/provider.ts";
import { OIDC_START } from "#server/oidc/routes.ts";
import { MAX_RETURN_CHARS, returnPathOf } from "#server/oidc/return-path.ts";
import type { SignInContext, TransportContext } from "#server/transports/contract.ts";
import type { TellTrouble } from "#server/transports/trouble-log.ts";
import { AppError, retryAfterSeconds } from "#shared/errors.ts";
import { limitProvider } from "./limited-provider.ts";
import { createPendingCookies } from "./pending-cookies.ts";
import { problemPage } from "./problem-page.ts";
import { redirect, showPage } from "./window-page.ts";

type Serve = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

type Step = "start" | "callback";

/** The visit that failed, and where the person was going. */
interface Failing {
  step: Step;
  returnTo: Pending["returnTo"];
}

export interface OidcRoutes {
  start: Serve;
  callback: Serve;
}

interface OidcRoutesOptions extends SignInContext, Pick<TransportContext, "limits" | "observer"> {
  provider: OidcProvider;
}

export function createOidcRoutes(
  { signIns, cookies, provider, limits, observer }: OidcRoutesOptions,
  tell: TellTrouble,
): OidcRoutes {
  const { publicUrl } = provider;
  const pageUrl = publicUrl + provider.basePath;
  const inTurn = limitProvider(limits);
  const pendingCookies = createPendingCookies(publicUrl);
  /** What was logged of a provider that cannot be used, until it can be used again for this step. */
  const troubles = new Map<Step, string>();

  async function start(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const query = queryOf(req);
    const returnTo = query.get("close") === "1" ? null : returnPathOf(query.get("return") ?? "/");
    await orProblem(req, res, { step: "start", returnTo: returnTo ?? null }, async () => {
      if (returnTo === undefined) {
        throw new OidcProblem("bad return", `It is no path, or longer than ${MAX_RETURN_CHARS}.`);
      }
      const { address, state, sealed } = await provider.begin(returnTo);
      troubles.delete("start");
      res.setHeader("Set-Cookie", pendingCookies.keep(req.headers, state, sealed));
      redirect(res, address);
    });
  }

  async function callback(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const state = queryOf(req).get("state") ?? "";
    const sealed = pendingCookies.find(req.headers, state);
    const pending = sealed === undefined ? undefined : await provider.open(sealed, state);
    const { returnTo } = pending ?? { returnTo: "/" };
    await orProblem(req, res, { step: "callback", returnTo }, async () => {
      if (pending === undefined) throw new OidcProblem("stale", "No sign-in has this state.");
      // Whatever comes of it, this sign-in is used.
      res.setHeader("Set-Cookie", pendingCookies.drop(state));
      await finish(req, res, pending);
    });
  }

  async function finish(req: IncomingMessage, res: ServerResponse, pending: Pending) {
    // That this browser began the sign-in shows that the request is one of our page.
    const ofPage = { ...req.headers, origin: publicUrl };
    const cookie = cookies.cookieFor(ofPage);
    if (cookie === undefined) throw new OidcProblem("stale", "The request has another host.");
    const caller = await inTurn(req, res, () => provider.finish(searchOf(req), pending));
    if (caller === undefined) return;
    troubles.delete("callback");
    const before = cookies.secretIn(ofPage);
    const { secret, signIn } = await signIns.begin(caller);
    if (before !== undefined) await signIns.end(before);
    observer?.signedIn("oidc", "accepted");
    res.appendHeader("Set-Cookie", cookie.set(secret, signIn.expiresAt - signIn.madeAt));
    if (pending.returnTo !== null) return redirect(res, pageUrl + pending.returnTo);
    showPage(res, {
      status: 200,
      title: "You are signed in",
      text: "You can close this window, and go on in the one that you came from.",
      isDone: true,
    });
  }

  async function orProblem(
    req: IncomingMessage,
    res: ServerResponse,
    { step, returnTo }: Failing,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      const isOwn = error instanceof OidcProblem;
      if (!isOwn && !(error instanceof AppError && error.code === "UNAVAILABLE")) throw error;
      log(req, step, error);
      const kind = isOwn ? error.kind : "busy";
      observer?.signedIn("oidc", kind === "unavailable" || kind === "busy" ? "failed" : "refused");
      const again = returnTo === null ? "close=1" : `return=${encodeURIComponent(returnTo)}`;
      const page = problemPage(kind, provider.name);
      const links = [{ text: "Try again", href: `${pageUrl}${OIDC_START}?${again}` }];
      if (returnTo !== null) links.push({ text: "Go to Jobwire", href: pageUrl + returnTo });
      const { retryAfterMs } = error;
      if (retryAfterMs !== undefined) res.setHeader("Retry-After", retryAfterSeconds(retryAfterMs));
      showPage(res, { ...page, links });
    }
  }

  function log(req: IncomingMessage, step: Step, error: OidcProblem | AppError): void {
    const kind = error instanceof OidcProblem ? error.kind : undefined;
    // Anyone can cause the first two at will, and a person decides about the third.
    if (kind === "bad return" || kind === "stale" || kind === "denied") return;
    if (kind === "unavailable") {
      if (troubles.get(step) === error.message) return;
      troubles.set(step, error.message);
      return tell(error, "The OpenID Connect provider cannot be used");
    }
    const address = limits?.addresses.of(req) ?? req.socket.remoteAddress;
    tell(
      new Error(`A sign-in from ${address} failed.`, { cause: error }),
      "A sign-in at the OpenID Connect provider failed",
    );
  }

  return { start, callback };
}

function searchOf({ url = "" }: IncomingMessage): string {
  const at = url.indexOf("?");
  return at === -1 ? "" : url.slice(at);
}

const queryOf = (req: IncomingMessage) => new URLSearchParams(searchOf(req));
