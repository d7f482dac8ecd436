/** The refusals of a server, as errors of the command. */
import { z } from "zod";
import { AppError, type InputIssue, messageOf } from "#shared/errors.ts";
import { ErrorCodeSchema } from "#shared/errors.schema.ts";
import { cutText } from "#shared/cut-text.ts";

/** The problem details of the API (RFC 9457), as far as the command reads them. */
const ProblemSchema = z.object({
  detail: z.string(),
  // A newer server may have codes that this version does not know.
  code: ErrorCodeSchema.catch("INTERNAL"),
  retryAfterMs: z.number().min(0).optional().catch(undefined),
  errors: z
    .array(z.object({ pointer: z.string().optional(), detail: z.string() }))
    .catch([])
    .default([]),
});

const MAX_BODY_CHARS = 300;

/** Of an answer that is none of 2xx. Its body is read. */
export async function refusalOf(
  response: Response,
  { base, hasToken }: { base: URL; hasToken: boolean },
): Promise<AppError> {
  const text = await response.text().catch(() => "");
  const problem = problemIn(text);
  if (problem === undefined) {
    const what = `${response.status} ${cutText(text.replaceAll(/\s+/g, " "), MAX_BODY_CHARS)}`;
    const code = response.status >= 502 && response.status <= 504 ? "UNAVAILABLE" : "INTERNAL";
    return new AppError(code, `${base.href} is no Jobwire, or is behind something: ${what.trim()}`);
  }
  if (problem.code !== "UNAUTHENTICATED" || hasToken) return problem;
  return new AppError(
    problem.code,
    `${problem.message} Set JOBWIRE_TOKEN to a token or an API key.`,
  );
}

/** `undefined` for a text that is no problem. */
export function problemIn(text: string): AppError | undefined {
  try {
    return errorOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Throws for what is no problem. */
export function errorOf(value: unknown): AppError {
  const { detail, code, errors, retryAfterMs } = ProblemSchema.parse(value);
  return new AppError(code, detail, {
    issues: errors.map(issueOf),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** A JSON Pointer (RFC 6901) as a path. */
function issueOf({
  pointer = "",
  detail,
}: {
  pointer?: string | undefined;
  detail: string;
}): InputIssue {
  const parts = pointer.split("/").slice(1);
  const path = parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  return { path: path.map((part) => (/^\d+$/.test(part) ? Number(part) : part)), message: detail };
}

/** Of a request that got no answer. */
export function unreachable(url: URL, reason: unknown): AppError {
  const cause = causeOf(reason);
  return new AppError(
    "UNAVAILABLE",
    `${url.host} cannot be reached (${messageOf(cause)}). JOBWIRE_URL is the address of the server.`,
    { cause },
  );
}

/** `fetch` wraps what happened. */
function causeOf(reason: unknown): unknown {
  return reason instanceof Error && reason.cause !== undefined ? reason.cause : reason;
}

/** A connection that was there and broke. Where none was made, the address is probably wrong. */
const BROKEN = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

/** True for an error of `unreachable` after which the same request may well succeed. */
export function isBroken({ cause }: AppError): boolean {
  return BROKEN.has(String((cause as { code?: unknown } | undefined)?.code));
}
