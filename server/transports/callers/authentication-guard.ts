/** Guards the `authenticate` hook of an embedding program: transports always get a caller or an `AppError`. */
import type { Logger } from "pino";
import { runForeign, warnOfStray } from "#server/jobs/foreign-code.ts";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import {
  AppError,
  asError,
  type ErrorCode,
  fieldOf,
  isInstance,
  messageOf,
} from "#shared/errors.ts";
import type { ActorVia } from "#shared/actor.ts";
import type { Clock } from "#shared/clock.ts";
import type { CheckedCallerSchema } from "#shared/checked-caller.schema.ts";
import type { CheckedCaller, CredentialRef } from "#shared/checked-caller.ts";
import { AuthenticatedSchema } from "#shared/principal.schema.ts";
import type { Authenticate, Caller, Identify } from "#server/transports/contract.ts";
import { createTroubleLog } from "#server/transports/trouble-log.ts";

const AUTHENTICATE_TIMEOUT_MS = 10_000;

/** The codes with which the hook refuses credentials. The client receives their messages. */
const REFUSALS: ReadonlySet<unknown> = new Set<ErrorCode>([
  "UNAUTHENTICATED",
  "TOKEN_EXPIRED",
  "FORBIDDEN",
]);

/** A schema of what the hook returns. Fields that it does not have are dropped. */
interface AnswerSchema {
  safeParse: (answer: unknown) => ReturnType<typeof CheckedCallerSchema.safeParse>;
}

/**
 * Wraps the hook. The wrapped hook always returns a promise, and rejects only with an `AppError`:
 * - `UNAUTHENTICATED`, `TOKEN_EXPIRED` or `FORBIDDEN` if the hook rejects with that code, with the hook's message;
 * - `UNAVAILABLE` if the hook throws anything else, or does not answer within `timeoutMs`. Only the log has the error;
 * - `INTERNAL` if the hook's answer is not a principal. The message is for the log;
 * - `TOKEN_EXPIRED` if its credentials have ended already.
 */
export function guardAuthenticate(
  authenticate: Authenticate,
  {
    log,
    schema = AuthenticatedSchema,
    timeoutMs = AUTHENTICATE_TIMEOUT_MS,
    clock = SYSTEM_CLOCK,
  }: {
    log: Pick<Logger, "warn">;
    schema?: AnswerSchema;
    timeoutMs?: number;
    clock?: Pick<Clock, "now">;
  },
): Identify {
  const tell = createTroubleLog(log);

  async function ask(credentials: Parameters<Authenticate>[0]): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(noAnswer(timeoutMs)), timeoutMs);
    });
    try {
      const asked = runForeign<Promise<unknown>>(warnOfStray, async () =>
        authenticate(credentials),
      );
      return await Promise.race([asked, late]);
    } catch (thrown) {
      const refusal = refusalIn(thrown);
      if (refusal !== undefined) throw refusal;
      tell(thrown, "`authenticate` failed; clients receive UNAVAILABLE");
      throw new AppError("UNAVAILABLE", NOT_CHECKED);
    } finally {
      clearTimeout(timer);
    }
  }

  return async (credentials) => callerOf(await ask(credentials), schema, clock);
}

const NOT_CHECKED = "The server could not check your credentials. Try again.";

/** Builds a new error: reading the fields of a foreign error can throw, so it happens here, once. */
function refusalIn(thrown: unknown): AppError | undefined {
  const code = isInstance(thrown, AppError) ? fieldOf(thrown, "code") : undefined;
  return REFUSALS.has(code)
    ? new AppError(code as ErrorCode, messageOf(thrown), { cause: asError(thrown) })
    : undefined;
}

function noAnswer(timeoutMs: number): Error {
  return new Error(`\`authenticate\` did not answer within ${timeoutMs / 1000} s.`);
}

function callerOf(answer: unknown, schema: AnswerSchema, { now }: Pick<Clock, "now">): Caller {
  const { userId, tenantId, scopes, expiresAt, ...proof } = authenticated(answer, schema);
  if (expiresAt === undefined || expiresAt > now().getTime()) {
    return {
      principal: { userId, tenantId, scopes },
      expiresAt,
      via: viaOf(proof.credential, proof.signInId),
      ...proof,
    };
  }
  throw new AppError("TOKEN_EXPIRED", "Your credentials have expired.");
}

function authenticated(answer: unknown, schema: AnswerSchema): CheckedCaller {
  let problem: string;
  try {
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    problem = parsed.error.issues
      .map(({ path, message }) => `${path.map(String).join(".") || "it"}: ${message}`)
      .slice(0, 5)
      .join("; ");
  } catch (error) {
    problem = asError(error).message;
  }
  throw new AppError("INTERNAL", `The answer of \`authenticate\` is not a principal. ${problem}`);
}

/** A provider of OpenID Connect lets people sign in on the page, and nothing else. */
function viaOf(credential: CredentialRef | undefined, signInId: string | undefined): ActorVia {
  if (signInId !== undefined || credential?.kind === "oidc") return "sign-in";
  return credential?.kind ?? "authenticate";
}
