/** The `authenticate` hook of an embedding program, as transports call it: it may do anything, and harms nothing. */
import { runForeign, warnOfStray } from "#server/jobs/foreign-code.ts";
import { AppError, asError, ErrorCode, fieldOf, isInstance } from "#shared/errors.ts";
import { Principal } from "#shared/principal.ts";
import type { Authenticate } from "./contract.ts";

const TIMEOUT_MS = 10_000;

/**
 * The same hook, which now always returns a promise, and rejects with
 * - the `AppError` with which the hook rejects;
 * - `UNAVAILABLE` where the hook does not answer within `timeoutMs`;
 * - `INTERNAL` where its answer is no principal. The message is for the log;
 * - a plain `Error` where it throws anything else, which means that the credentials are no good. Its message is text.
 */
export function createAuthentication(
  authenticate: Authenticate,
  { timeoutMs = TIMEOUT_MS }: { timeoutMs?: number } = {},
): Authenticate {
  return async (credentials) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(noAnswer(timeoutMs)), timeoutMs);
    });
    try {
      const asked = runForeign<Promise<unknown>>(warnOfStray, async () =>
        authenticate(credentials),
      );
      return principalOf(await Promise.race([asked, late]));
    } catch (error) {
      throw isAppError(error) ? error : asError(error);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Also the fields are read here: an error of a foreign class may have anything in them. */
function isAppError(error: unknown): error is AppError {
  return (
    isInstance(error, AppError) &&
    typeof fieldOf(error, "message") === "string" &&
    ErrorCode.safeParse(fieldOf(error, "code")).success
  );
}

function noAnswer(timeoutMs: number): AppError {
  const text = `The server could not check who asks within ${timeoutMs / 1000} s. Try again.`;
  return new AppError("UNAVAILABLE", text);
}

function principalOf(answer: unknown): Principal {
  let problem: string;
  try {
    const parsed = Principal.safeParse(answer);
    if (parsed.success) return parsed.data;
    problem = parsed.error.issues
      .map(({ path, message }) => `${path.map(String).join(".") || "it"}: ${message}`)
      .slice(0, 5)
      .join("; ");
  } catch (error) {
    problem = asError(error).message;
  }
  throw new AppError("INTERNAL", `The answer of \`authenticate\` is no principal. ${problem}`);
}
