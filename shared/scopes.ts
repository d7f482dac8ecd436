/** The permissions that credentials grant. A principal without a scope may do nothing that needs it. */

export const SCOPES = [
  /** To see one's own jobs and batches, and to watch them. */
  "jobs:read",
  /** To create, cancel and retry them. */
  "jobs:write",
  /** To decide about the results of jobs: approve, reject, regenerate. */
  "jobs:review",
  /** Extends the others to all jobs and batches of the tenant. */
  "tenant",
  /** Keys, revocations and the audit list of the tenant. */
  "admin",
  /** Metrics and workers of the whole instance, but no contents of jobs. No token grants it. */
  "operator",
  /** To run jobs as a worker of another program. */
  "work",
] as const;
export type Scope = (typeof SCOPES)[number];

export function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text);
}

/** All that a person does with their own jobs. */
export const PERSON_SCOPES: readonly Scope[] = ["jobs:read", "jobs:write", "jobs:review"];

/** The name of a stream that can be shared: `job:<id>` or `batch:<id>`. */
const STREAM_NAME = /^(?:job|batch):[\da-f-]{36}$/;

export function isStreamName(text: string): boolean {
  return STREAM_NAME.test(text);
}

/** `job:<id>:read` and `batch:<id>:read` let a principal read one job or batch of its tenant, of any owner. */
const STREAM_SCOPE = /^(?:job|batch):[\da-f-]{36}:read$/;

export type StreamScope = `${"job" | "batch"}:${string}:read`;

export function isStreamScope(text: string): text is StreamScope {
  return STREAM_SCOPE.test(text);
}

/**
 * The scope of a principal whose program trusts it with everything that is its own: `PERSON_SCOPES`. The other scopes reach
 * further, so a program names them where it means them. No token grants it.
 */
export const ALL_SCOPES = "*";

/** The scopes that a token can grant. */
export function isTokenScope(text: string): boolean {
  return isScope(text) ? text !== "operator" : isStreamScope(text);
}
