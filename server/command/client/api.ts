/** Calls of a server's API, for the verbs that are its clients: `JOBWIRE_URL` names it, `JOBWIRE_TOKEN` signs in. */
import { setTimeout as delay } from "node:timers/promises";
import { addressOf } from "#server/command/server-address.ts";
import { AppError } from "#shared/errors.ts";
import { isBroken, refusalOf, unreachable } from "./problem.ts";

const DEFAULT_URL = "http://localhost:8000";
/** A batch of 10,000 jobs takes some seconds. */
const ANSWER_MS = 60_000;
const MAX_TRIES = 5;
/** Before the next try, where the server does not say when. */
const PAUSE_MS = 1000;
/** A server that is busy for longer is not waited for. */
const MAX_PAUSE_MS = 30_000;

export interface CallOptions {
  query?: Record<string, string | undefined>;
  body?: unknown;
  /** A second request with the same key creates nothing, so one whose answer is lost is sent again. */
  idempotencyKey?: string;
}

export interface Api {
  /** `path`: below `/api/v1`. Rejects with an `AppError`; `issues` has the faults of the body. */
  call<Answer>(method: "GET" | "POST", path: string, options?: CallOptions): Promise<Answer>;
  /** Of the WebSocket of a stream. */
  socketUrl(path: string, query: Record<string, string>): URL;
  /** Sign in. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Throws `UsageError` for an address that is none. Empty variables count as unset. */
export function openApi(env: NodeJS.ProcessEnv): Api {
  const base = addressOf(env.JOBWIRE_URL || DEFAULT_URL);
  const token = env.JOBWIRE_TOKEN || undefined;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };

  function urlOf(path: string, query: CallOptions["query"] = {}): URL {
    const url = new URL(`${base.pathname.replace(/\/$/, "")}/api/v1${path}`, base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    return url;
  }

  async function ask(method: string, path: string, options: CallOptions): Promise<Response> {
    const { query, body, idempotencyKey } = options;
    return fetch(urlOf(path, query), {
      method,
      // Another server must not get the token.
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_MS),
      headers: {
        ...headers,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  async function attempt<Answer>(...args: Parameters<typeof ask>): Promise<Answer> {
    let response: Response;
    try {
      response = await ask(...args);
      if (response.ok) return (await response.json()) as Answer;
    } catch (error) {
      throw unreachable(base, error);
    }
    throw await refusalOf(response, { base, hasToken: token !== undefined });
  }

  return {
    headers,
    async call<Answer>(method: "GET" | "POST", path: string, options: CallOptions = {}) {
      const isRepeatable = method === "GET" || options.idempotencyKey !== undefined;
      for (let tries = 1; ; tries += 1) {
        try {
          return await attempt<Answer>(method, path, options);
        } catch (error) {
          const pauseMs = isRepeatable && tries < MAX_TRIES ? pauseAfter(error) : undefined;
          if (pauseMs === undefined) throw error;
          await delay(pauseMs);
        }
      }
    },
    socketUrl(path, query) {
      const url = urlOf(path, query);
      url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
      return url;
    },
  };
}

/** `undefined`: the same request would fail again, or not soon succeed. */
function pauseAfter(error: unknown): number | undefined {
  if (!(error instanceof AppError)) return undefined;
  if (error.code !== "RATE_LIMITED" && error.code !== "UNAVAILABLE") return undefined;
  if (error.cause !== undefined && !isBroken(error)) return undefined;
  const { retryAfterMs = PAUSE_MS } = error;
  return retryAfterMs <= MAX_PAUSE_MS ? retryAfterMs : undefined;
}
