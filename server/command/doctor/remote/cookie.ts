/** Signs in as the page does, looks at the cookie, sends it back, and signs out. */
import { fail, type Finding, ok, skip } from "#shared/finding.ts";
import { ask } from "./ask.ts";
import { adviceOn } from "./refusal.ts";
import type { Target } from "./target.ts";
import { at, parsed } from "./trpc-answer.ts";

const NAME = "sign-in cookie";
const LOST = "docs/troubleshooting.md#the-cookie-is-lost";

export async function checkCookie(
  target: Target,
  token: string,
  signal: AbortSignal,
): Promise<Finding> {
  const { origin, protocol } = target.url;
  const headers = { origin, "content-type": "application/json" };
  const body = JSON.stringify({ token });
  const answer = await ask(target, "/auth/sign-in", { signal, method: "POST", headers, body });
  const { status } = answer;
  if (status === 404) return skip(NAME, "the server has no sign-in of the page");
  if (status !== 200) {
    const message = at(parsed(answer.body), "error", "message");
    const why = typeof message === "string" ? message : answer.body.slice(0, 200);
    const advice = [
      "Let the proxy pass Host and Origin on as they come.",
      "docs/troubleshooting.md#signing-in-goes-round-in-circles",
    ] as const;
    return fail(NAME, `signing in was answered ${status}: ${why}`, adviceOn(answer, advice));
  }
  const [set] = answer.headers["set-cookie"] ?? [];
  if (set === undefined) {
    return fail(NAME, "the answer to a sign-in has no Set-Cookie", [
      "The proxy removes it: let it pass on what /auth answers, uncached.",
      LOST,
    ]);
  }
  const [cookie = ""] = set.split(";");
  try {
    return await finding({ target, set, cookie, isSecure: protocol === "https:" }, signal);
  } finally {
    const sent = { origin, cookie };
    await ask(target, "/auth/sign-out", { signal, method: "POST", headers: sent }).catch(
      () => undefined,
    );
  }
}

async function finding(
  { target, set, cookie, isSecure }: Signed,
  signal: AbortSignal,
): Promise<Finding> {
  if (isSecure && !/;\s*secure\b/i.test(set)) {
    return fail(NAME, "has no Secure, so browsers refuse it or send it in the clear", [
      "Let the proxy leave Set-Cookie as it is.",
      LOST,
    ]);
  }
  if (!/;\s*httponly\b/i.test(set) || !/;\s*path=\/\s*(?:;|$)/i.test(set)) {
    return fail(NAME, "has another Path, or no HttpOnly: the proxy rewrites it", [
      "Let the proxy leave Set-Cookie as it is.",
      LOST,
    ]);
  }
  const headers = { "sec-fetch-site": "same-origin", cookie };
  const back = await ask(target, "/auth/me", { signal, headers });
  if (back.status === 200) return ok(NAME, "is set, comes back, and signs in");
  return fail(NAME, `is set, and does not count when it comes back (${back.status})`, [
    "The proxy removes Cookie, or sends the next request to a server with other data.",
    LOST,
  ]);
}

interface Signed {
  target: Target;
  /** The header `Set-Cookie`. */
  set: string;
  /** The part that a browser sends back. */
  cookie: string;
  isSecure: boolean;
}
