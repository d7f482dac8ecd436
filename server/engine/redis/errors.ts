/** Maps errors of Redis and of the network to `AppError`. `label`: the Redis, as messages name it. */
import { AppError, messageOf } from "#shared/errors.ts";

/** Returns the name of a Redis for messages: its address without the password. */
export function labelOf(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  return `Redis at ${protocol}//${hostname}${port === "" ? "" : `:${port}`}${pathname === "/" ? "" : pathname}`;
}

/** Redis' error codes for temporary states, and the text for each. */
const REFUSALS: Readonly<Record<string, string>> = {
  OOM: "is out of memory, so nothing was stored. Give it more (maxmemory), or delete old jobs (RETENTION_DAYS)",
  READONLY: "is a read-only replica, so nothing was stored. It may be failing over",
  MISCONF: "cannot save to its disk and takes no writes, so nothing was stored. See its log",
  NOREPLICAS: "has too few replicas and takes no writes, so nothing was stored",
  MASTERDOWN: "is a replica that has lost its master",
  LOADING: "is loading its data",
  CLUSTERDOWN: "belongs to a cluster that is down",
  TRYAGAIN: "is moving these keys to another node",
  MOVED: "is moving these keys to another node",
  ASK: "is moving these keys to another node",
  BUSY: "is busy with a script",
};

/** True if Redis answered with an error and did not execute the command. */
export function isRefusal(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "ReplyError";
}

export function asAppError(cause: unknown, label: string): AppError {
  if (cause instanceof AppError) return cause;
  const message = messageOf(cause);
  const answer = isRefusal(cause) ? message : lastAnswer(message);
  const word = answer?.split(" ", 1)[0] ?? "";
  // Errors of scripts have a prefix before the code.
  const refusal = Object.entries(REFUSALS).find(
    ([code]) => code === word || answer?.includes(`${code} `),
  );
  if (refusal) {
    const unknown = isRefusal(cause) ? "" : ` ${RESULT_UNKNOWN}`;
    return new AppError("UNAVAILABLE", `${label} ${refusal[1]}.${unknown} Try again.`, { cause });
  }
  if (!isRefusal(cause) && isOfConnection(cause)) {
    const text = `${label} cannot be reached (${whyNot(cause)}). ${RESULT_UNKNOWN} Try again.`;
    return new AppError("UNAVAILABLE", text, { cause });
  }
  return new AppError("INTERNAL", `${label}: ${message}`, { cause });
}

/** For a start: no command was sent yet, and the address may be wrong. */
export function neverReached(cause: unknown, label: string): AppError {
  if (isRefusal(cause) || !isOfConnection(cause)) return asAppError(cause, label);
  const text = `${label} cannot be reached (${whyNot(cause)}). Check that it runs, and that REDIS_URL is its address.`;
  return new AppError("UNAVAILABLE", text, { cause });
}

const RESULT_UNKNOWN = "The last command may or may not have been executed.";

/** Returns the cluster's last answer, after ioredis has tried several times. */
function lastAnswer(message: string): string | undefined {
  return /^Too many Cluster redirections\. Last error: ReplyError: (.*)/.exec(message)?.[1];
}

const SYSTEM_CODES = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

/** Does not use the error's message: messages of the system and the client library contain addresses. */
function whyNot(cause: unknown): string {
  const code = codeOf(cause);
  if (code !== undefined && SYSTEM_CODES.has(code)) return code;
  const isPatient = cause instanceof Error && cause.name === "MaxRetriesPerRequestError";
  return isPatient ? "it was tried for some seconds" : "the connection broke";
}

function codeOf(cause: unknown): string | undefined {
  return (cause as NodeJS.ErrnoException).code;
}

/** The names of ioredis' errors. */
const NAMES = new Set(["AbortError", "ClusterAllFailedError", "MaxRetriesPerRequestError"]);
const MESSAGES =
  /^(?:Connection is closed|Command timed out|Stream isn't writeable|connect ETIMEDOUT|Socket timeout|Too many Cluster redirections|None of startup nodes is available)/;

function isOfConnection(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  return (
    NAMES.has(cause.name) || SYSTEM_CODES.has(codeOf(cause) ?? "") || MESSAGES.test(cause.message)
  );
}
