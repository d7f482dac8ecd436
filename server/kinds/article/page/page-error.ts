/** Errors of a page, told to people with the page's role, its address and the reason. */
import { STATUS_CODES } from "node:http";
import { cutText } from "#shared/cut-text.ts";
import { Failure, Transient } from "#server/kinds/define.ts";
import { MOST_HEADER_BYTES } from "./page-limits.ts";
import { PrivateAddressError } from "./private-address-error.ts";

export type PageRole = "publisher" | "target";

export type PageErrorCode =
  | "PAGE_BAD_ADDRESS"
  | "PAGE_CUT_OFF"
  | "PAGE_EMPTY"
  | "PAGE_NOT_HTML"
  | "PAGE_PRIVATE_ADDRESS"
  | "PAGE_STATUS"
  | "PAGE_TIMEOUT"
  | "PAGE_TOO_COMPLEX"
  | "PAGE_TOO_LARGE"
  | "PAGE_TOO_MANY_REDIRECTS"
  | "PAGE_UNREACHABLE";

const LONGEST_MESSAGE = 600;
const LONGEST_ADDRESS = 300;

/** `message` is a predicate whose subject is the page's name. It is cut, because it quotes foreign text. */
export class PageError extends Error {
  override readonly name = "PageError";
  readonly code: PageErrorCode;
  /** The server's `Retry-After`. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: PageErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(cutText(message, LONGEST_MESSAGE), options);
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A server that asks for a longer wait ends the job. */
const LONGEST_WAIT_MS = 60 * 60 * 1000;

export function pageFailure(role: PageRole, url: string, error: PageError): Failure {
  const message = `The ${role} page ${cutText(url, LONGEST_ADDRESS)} ${error.message}`;
  const { retryAfterMs } = error;
  return retryAfterMs !== undefined && retryAfterMs <= LONGEST_WAIT_MS
    ? new Transient(error.code, message, { cause: error, retryAfterMs })
    : new Failure(error.code, message, { cause: error });
}

export function statusError(status: number, retryAfterMs: number | undefined): PageError {
  const phrase = STATUS_CODES[status];
  const asked = status === 429 || status === 503 ? retryAfterMs : undefined;
  return new PageError(
    "PAGE_STATUS",
    `answered with status ${status}${phrase === undefined ? "" : ` ${phrase}`}`,
    { retryAfterMs: asked },
  );
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no route to it",
  EAI_AGAIN: "its name cannot be looked up right now",
  ENOTFOUND: "its name is not known",
  ETIMEDOUT: "the connection timed out",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  UND_ERR_SOCKET: "the connection was closed in the middle",
};

/** Maps a network error to a `PageError`. `answered`: a server had begun to answer. */
export function networkError(error: unknown, answered: boolean): PageError {
  const causes = causesOf(error);
  const refused = causes.find((cause) => cause instanceof PrivateAddressError);
  if (refused !== undefined) {
    return new PageError(
      "PAGE_PRIVATE_ADDRESS",
      `is not on the public internet: ${refused.message}. An operator can allow the host with FETCH_ALLOW`,
      { cause: error },
    );
  }
  const codes = causes.flatMap((cause) =>
    "code" in cause && typeof cause.code === "string" ? cause.code : [],
  );
  if (codes.includes("UND_ERR_HEADERS_OVERFLOW")) {
    const size = `${MOST_HEADER_BYTES / 1024} KiB`;
    return new PageError("PAGE_TOO_LARGE", `sends more than ${size} of headers`, { cause: error });
  }
  const reasons = codes.flatMap((code) => REASONS[code] ?? []);
  const reason = reasons[0] ?? reasonOf(causes.at(-1));
  return answered
    ? new PageError("PAGE_CUT_OFF", `was not received completely: ${reason}`, { cause: error })
    : new PageError("PAGE_UNREACHABLE", `cannot be reached: ${reason}`, { cause: error });
}

/** Messages of system errors contain addresses of this machine, so only their code is shown. */
function reasonOf(error: Error | undefined): string {
  if (error === undefined) return "the connection failed";
  const { syscall, code } = error as NodeJS.ErrnoException;
  return syscall === undefined ? error.message : `the connection failed (${code})`;
}

/** Outermost first. Each attempt of a connection (IPv6, IPv4) counts as a cause. */
function causesOf(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  const inner = error instanceof AggregateError ? error.errors : [error.cause];
  return [error, ...inner.flatMap(causesOf)];
}
