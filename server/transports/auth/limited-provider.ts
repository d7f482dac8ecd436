/**
 * Limits what one address makes the server ask the provider. Whether a sign-in is good is known only when the provider has
 * answered, so none is refused before. One that fails counts as refused credentials of its address: beyond that limit its
 * refusal comes later, and it keeps its turn until then.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Limits } from "#server/limits/open.ts";
import { OidcProblem, type ProblemKind } from "#server/oidc/problem.ts";
import { ProviderTurns } from "./provider-turns.ts";

/** Asks the provider about a sign-in. Resolves to `undefined` if the client left before the turn of its address came. */
export type AskInTurn = <T>(
  req: IncomingMessage,
  res: ServerResponse,
  ask: () => Promise<T>,
) => Promise<T | undefined>;

/** The server has not asked the provider. */
const UNASKED: ReadonlySet<ProblemKind> = new Set(["denied", "busy"]);

/** Without limits each sign-in asks at once. */
export function limitProvider(
  limits: Pick<Limits, "addresses" | "failedSignIn"> | undefined,
): AskInTurn {
  if (limits === undefined) return (_req, _res, ask) => ask();
  const { addresses } = limits;
  const turns = new ProviderTurns();

  /** Resolves to what the person is shown. */
  async function failureOf(address: string, error: unknown): Promise<unknown> {
    if (!(error instanceof OidcProblem) || UNASKED.has(error.kind)) return error;
    const limited = await limits?.failedSignIn(address);
    // To wait is of no use while the provider is down.
    if (limited === undefined || error.kind === "unavailable") return error;
    return new OidcProblem("too many", error.message, limited.retryAfterMs);
  }

  return async (req, res, ask) => {
    const address = addresses.keyOf(req);
    const end = await turns.take(address, res);
    if (end === undefined) return undefined;
    try {
      return await ask();
    } catch (error) {
      throw await failureOf(address, error);
    } finally {
      end();
    }
  };
}
