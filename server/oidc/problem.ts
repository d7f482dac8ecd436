/** Why a sign-in at the provider failed. The cause is for the log, and holds no code, token or secret. */
export type ProblemKind =
  /** The path to return to is none of the page. */
  | "bad return"
  /** The sign-in that the provider answers was used, is too old, or was begun by another browser. */
  | "stale"
  /** The person, or the provider for them, refused. */
  | "denied"
  /** The provider cannot be reached, or its answers cannot be used. */
  | "unavailable"
  /** Too many sign-ins at the same time. */
  | "busy"
  /** This one was refused as the kinds below, after too many others of its address. */
  | "too many"
  /** The provider does not accept this server's request, or its answer is not one for this sign-in. */
  | "refused"
  /** The claims name no tenant. */
  | "no tenant"
  /** The claims name no user that this server can store. */
  | "no user";

export class OidcProblem extends Error {
  override readonly name = "OidcProblem";
  readonly kind: ProblemKind;
  /** Of `too many`: milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(kind: ProblemKind, message: string, retryAfterMs?: number) {
    super(message);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}
