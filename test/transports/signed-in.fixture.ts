/** For tests: a server that takes tokens, and browsers that are signed in to it. */
import { SignJWT } from "jose";
import { pino } from "pino";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import type { AnyKind } from "#server/kinds/define.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import type { TestData } from "#test/engine/data.fixture.ts";

export const SECRET = "a secret of the tests that has 32 bytes";

export interface Claims {
  scope?: string;
  tenant?: string;
  jti?: string;
  /** Seconds since the epoch. */
  iat?: number;
  /** Seconds since the epoch. */
  exp?: number;
}

export function tokenFor(user: string, claims: Claims = {}): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 600;
  return new SignJWT({ tenant: "acme", scope: PERSON_SCOPES.join(" "), exp, ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .sign(new TextEncoder().encode(SECRET));
}

/** `logged` receives the lines of the log. */
export function startAppWithTokens(
  data: TestData,
  options: { env?: Record<string, string>; kinds?: readonly AnyKind[]; logged?: string[] } = {},
): Promise<App> {
  const { env, kinds = [], logged = [] } = options;
  const config = loadConfig({ PORT: "0", AUTH_JWT_SECRET: SECRET, ...data.env, ...env });
  const log = pino({ level: "warn" }, { write: (line: string) => logged.push(line) });
  return createApp(config, { kinds, log });
}

/** Sends a request as a page of this origin does. */
export function post(
  { url }: Pick<App, "url">,
  path: string,
  options: { body?: unknown; cookie?: string; origin?: string; type?: string } = {},
): Promise<Response> {
  const { body = {}, cookie, origin = url, type = "application/json" } = options;
  return fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": type, ...(origin !== "" && { origin }), ...(cookie && { cookie }) },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** Returns the cookie that the answer sets, as a browser sends it. */
export function cookieIn(response: Response): string {
  const [pair = ""] = (response.headers.get("set-cookie") ?? "").split(";");
  return pair;
}

export async function signIn(app: Pick<App, "url">, token: string): Promise<string> {
  const response = await post(app, "/auth/sign-in", { body: { token } });
  if (response.status !== 200) throw new Error(`Signing in failed: ${await response.text()}`);
  return cookieIn(response);
}
