/**
 * The requirement of each procedure, event and route, as data. Anything that is not in these tables is refused; tests compare them
 * with the router, the events and the routes.
 *
 * They say what kind of thing a caller may do. Whose jobs and batches it may do it with is decided per record
 * (`mayRead` and `mayChange` in `shared/principal.ts`).
 */
import type { ProcedurePath } from "#shared/api.ts";
import { AppError } from "#shared/errors.ts";
import { hasScope, LOCAL_PRINCIPAL, type Principal, readsSome } from "#shared/principal.ts";
import type { Scope } from "#shared/scopes.ts";

export type Requirement =
  /** Nothing: also callers without a principal may use it. */
  | "anyone"
  /** A principal, with or without scopes. */
  | "principal"
  | Scope
  /** `jobs:read`, or the scope of any single job. */
  | "read a job"
  /** `jobs:read`, or the scope of any single batch. */
  | "read a batch"
  /** Either of these. */
  | "read a job or batch"
  /** `operator`, or `admin` for what is the tenant's. */
  | "pause"
  /** `operator`, `admin` or `jobs:read`. */
  | "see pauses";

/** By the paths of tRPC. `kinds.*` stands for the procedures of each kind. */
export const PROCEDURES: ReadonlyMap<string, Requirement> = new Map(
  Object.entries<Requirement>({
    "job.create": "jobs:write",
    "job.get": "read a job",
    "job.list": "jobs:read",
    "job.events": "read a job",
    "job.waiting": "read a job",
    "job.logs": "jobs:read",
    "job.cancel": "jobs:write",
    "job.retry": "jobs:write",
    "job.approve": "jobs:review",
    "job.reject": "jobs:review",
    "job.regenerate": "jobs:review",
    "job.share": "jobs:read",
    "job.unshare": "jobs:read",
    "job.links": "jobs:read",
    "job.onUpdate": "read a job",
    "job.onOutput": "read a job",
    "job.onLog": "jobs:read",
    "job.onPresence": "read a job",
    "job.typing": "jobs:review",
    "batch.create": "jobs:write",
    "batch.get": "read a batch",
    "batch.list": "jobs:read",
    "batch.cancel": "jobs:write",
    "batch.share": "jobs:read",
    "batch.unshare": "jobs:read",
    "batch.links": "jobs:read",
    "batch.onUpdate": "read a batch",
    "batch.onPresence": "read a batch",
    "feed.onUpdate": "jobs:read",
    "presence.onUpdate": "jobs:read",
    "pause.list": "see pauses",
    "pause.set": "pause",
    "pause.remove": "pause",
    "schedule.upsert": "jobs:write",
    "schedule.list": "jobs:read",
    "schedule.get": "jobs:read",
    "schedule.pause": "jobs:write",
    "schedule.resume": "jobs:write",
    "schedule.trigger": "jobs:write",
    "schedule.delete": "jobs:write",
    "kinds.*.create": "jobs:write",
    "kinds.*.createMany": "jobs:write",
    "kinds.*.get": "read a job",
    "kinds.*.list": "jobs:read",
    "kinds.*.onUpdate": "read a job",
    "kinds.*.onOutput": "read a job",
    "worker.list": "operator",
    "worker.drain": "operator",
    "worker.resume": "operator",
    "audit.list": "admin",
    "auth.me": "principal",
    "auth.refresh": "anyone",
    "auth.revoke": "admin",
    "auth.ticket": "principal",
    "kind.list": "principal",
    "system.info": "principal",
    "system.onState": "principal",
  } satisfies Record<ProcedurePath, Requirement>),
);

export type WorkProcedure = `work.${
  | "claim"
  | "progress"
  | "draft"
  | "renew"
  | "deliver"
  | "block"
  | "fail"
  | "release"}`;

/** Calls of workers of other programs, which the API alone serves. */
export const WORK: ReadonlyMap<string, Requirement> = new Map(
  Object.entries<Requirement>({
    "work.claim": "work",
    "work.progress": "work",
    "work.draft": "work",
    "work.renew": "work",
    "work.deliver": "work",
    "work.block": "work",
    "work.fail": "work",
    "work.release": "work",
  } satisfies Record<WorkProcedure, Requirement>),
);

/** All that the API serves. */
export const OF_API: ReadonlyMap<string, Requirement> = new Map([...PROCEDURES, ...WORK]);

/** The procedures that a ticket can open: the subscriptions. */
export const STREAMS: ReadonlySet<string> = new Set([
  "job.onUpdate",
  "job.onOutput",
  "job.onLog",
  "job.onPresence",
  "batch.onUpdate",
  "batch.onPresence",
  "feed.onUpdate",
  "presence.onUpdate",
  "kinds.*.onUpdate",
  "kinds.*.onOutput",
  "system.onState",
]);

/** The entry for a path in these tables: `kinds.*.create` for `kinds.mail.create`. */
export function entryOf(path: string): string {
  return path.replace(/^kinds\.[^.]+\./, "kinds.*.");
}

/** By the names of Socket.IO's events. */
export const EVENTS: ReadonlyMap<string, Requirement> = new Map(
  Object.entries<Requirement>({
    "subscribe:job": "read a job",
    "unsubscribe:job": "principal",
    "subscribe:batch": "read a batch",
    "unsubscribe:batch": "principal",
    "subscribe:presence": "read a job or batch",
    "unsubscribe:presence": "principal",
    "typing:start": "jobs:review",
    "typing:stop": "jobs:review",
    "waiting:job": "read a job",
    "subscribe:feed": "jobs:read",
    "unsubscribe:feed": "principal",
    "auth:refresh": "principal",
  }),
);

/** By the paths outside of tRPC and Socket.IO. Static files hold no data, so they need nothing. */
export const ROUTES: ReadonlyMap<string, Requirement> = new Map(
  Object.entries<Requirement>({
    "/healthz": "anyone",
    "/readyz": "anyone",
    "/metrics": "operator",
    "/auth/sign-in": "anyone",
    "/auth/sign-out": "anyone",
    "/auth/me": "anyone",
    "/auth/oidc/start": "anyone",
    "/auth/oidc/callback": "anyone",
  }),
);

/** True for a procedure that needs no principal. */
export function isOpen(path: string): boolean {
  return PROCEDURES.get(entryOf(path)) === "anyone";
}

/** Returns the refusal (`FORBIDDEN`), or `undefined` if the principal has what is required. */
export function refusalFor(
  principal: Principal,
  table: ReadonlyMap<string, Requirement>,
  name: string,
): AppError | undefined {
  const required = table.get(entryOf(name));
  if (required === undefined) return new AppError("FORBIDDEN", "No caller may use this.");
  if (meets(principal, required)) return undefined;
  return principal === LOCAL_PRINCIPAL ? withoutSignIn() : missing(required);
}

function meets(principal: Principal, required: Requirement): boolean {
  if (required === "anyone" || required === "principal") return true;
  if (required === "read a job") return readsAll(principal) || readsSome(principal, "job");
  if (required === "read a batch") return readsAll(principal) || readsSome(principal, "batch");
  if (required === "read a job or batch") {
    return readsAll(principal) || readsSome(principal, "job") || readsSome(principal, "batch");
  }
  if (required === "pause") return pauses(principal);
  if (required === "see pauses") return pauses(principal) || readsAll(principal);
  return hasScope(principal, required);
}

const pauses = (principal: Principal) =>
  hasScope(principal, "operator") || hasScope(principal, "admin");

const readsAll = (principal: Principal) => hasScope(principal, "jobs:read");

/** The only principal of a server without sign-in lacks what concerns the credentials of others. */
function withoutSignIn(): AppError {
  return new AppError(
    "FORBIDDEN",
    "No caller may use this on a server without sign-in. Configure tokens or API keys (AUTH_JWT_SECRET, AUTH_JWKS_URL or AUTH_API_KEYS).",
  );
}

/** The scope that grants a requirement of a name of its own to most callers. */
const SCOPE_OF: Partial<Record<Requirement, Scope>> = {
  "read a job": "jobs:read",
  "read a batch": "jobs:read",
  "read a job or batch": "jobs:read",
  "see pauses": "jobs:read",
  pause: "admin",
};

function missing(required: Requirement): AppError {
  const scope = SCOPE_OF[required] ?? required;
  return new AppError(
    "FORBIDDEN",
    `This needs the scope ${scope}, which your credentials do not grant.`,
  );
}
