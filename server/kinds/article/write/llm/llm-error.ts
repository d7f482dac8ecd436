/** Maps errors of a model's server to errors of the job: `Failure` ends it, `Transient` retries it. */
import { APICallError } from "ai";
import { retryAfterMs } from "#server/kinds/article/retry-after.ts";
import { beginningOf, cutText } from "#shared/cut-text.ts";
import { Failure, Transient } from "#server/kinds/define.ts";
import type { ChosenModel } from "./models.ts";

const LONGEST_REASON = 300;
/** Cuts the server's text before its white space is collapsed. */
const LONGEST_RAW_REASON = 20 * LONGEST_REASON;
const LONGEST_NAME = 200;

export function llmError(error: unknown, chosen: ChosenModel): Failure {
  const failure = failureIn(error);
  if (failure !== undefined) return failure;
  const { provider, keyVariable } = chosen;
  const modelId = cutText(chosen.modelId, LONGEST_NAME);
  const cause = { cause: error };
  const { statusCode, responseHeaders } = APICallError.isInstance(error)
    ? error
    : { statusCode: 200, responseHeaders: undefined };
  if (statusCode === undefined) {
    return new Transient(
      "LLM_UNREACHABLE",
      `${provider} cannot be reached: ${codeIn(error) ?? reasonOf(error)}`,
      cause,
    );
  }
  if (statusCode < 400) {
    // The response had begun; then the stream broke, reported an error, or contained invalid JSON.
    return new Transient("LLM_STREAM", `${provider} broke off: ${reasonOf(error)}`, cause);
  }
  if (statusCode === 401 || statusCode === 403) {
    // The server's text is left out, because it can contain part of the key.
    return new Failure(
      "LLM_AUTH",
      `API key invalid: ${provider} refused it with status ${statusCode}. Check ${keyVariable}`,
      cause,
    );
  }
  const wait =
    milliseconds(responseHeaders?.["retry-after-ms"]) ??
    retryAfterMs(responseHeaders?.["retry-after"], responseHeaders?.date);
  if (statusCode === 429) {
    const message = `${provider} accepts no more requests right now: ${reasonOf(error)}`;
    return new Transient("LLM_RATE_LIMITED", message, { ...cause, retryAfterMs: wait });
  }
  if (statusCode >= 500 || statusCode === 408 || statusCode === 409) {
    const message = `${provider} answered with status ${statusCode}: ${reasonOf(error)}`;
    return new Transient("LLM_UNAVAILABLE", message, { ...cause, retryAfterMs: wait });
  }
  return new Failure(
    "LLM_REQUEST",
    `${provider} did not accept the request for ${modelId} (status ${statusCode}): ${reasonOf(error)}`,
    cause,
  );
}

/** Model clients wrap errors of `bounded-fetch.ts` into errors of their own. */
function failureIn(error: unknown): Failure | undefined {
  let cause = error;
  for (let depth = 0; depth < 5 && cause instanceof Error; depth++) {
    if (cause instanceof Failure) return cause;
    cause = cause.cause;
  }
  return undefined;
}

/** A system error's code. Its text has the address of the model's server, which may be an internal one. */
function codeIn(error: unknown): string | undefined {
  let cause = error;
  for (let depth = 0; depth < 5 && cause instanceof Error; depth++) {
    const { syscall, code } = cause as NodeJS.ErrnoException;
    if (syscall !== undefined) return code;
    cause = cause instanceof AggregateError ? cause.errors[0] : cause.cause;
  }
  return undefined;
}

function milliseconds(header: string | undefined): number | undefined {
  return header !== undefined && /^\d+$/.test(header) ? Number(header) : undefined;
}

function reasonOf(error: unknown): string {
  const text =
    error instanceof Error
      ? error.message
      : typeof error === "string"
        ? error
        : JSON.stringify(error);
  const line = beginningOf(text, LONGEST_RAW_REASON).replaceAll(/\s+/g, " ").trim();
  return line === "" ? "it gave no reason" : cutText(line, LONGEST_REASON);
}
