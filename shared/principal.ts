/** The caller's identity. Every command, read and subscription carries one, even on a server without authentication. */
import { ALL_SCOPES, PERSON_SCOPES, type Scope } from "./scopes.ts";

export interface Principal {
  userId: string;
  tenantId: string;
  scopes: string[];
}

/** A principal whose credentials may end. */
export interface Authenticated extends Principal {
  /**
   * When the credentials end, in milliseconds since the epoch. A connection that has no newer ones by then is told to
   * reconnect, and closed soon after. Absent: they do not end.
   */
  expiresAt?: number | undefined;
}

/** The only principal of a server without authentication, which shows its metrics to every caller. */
export const LOCAL_PRINCIPAL: Principal = {
  userId: "local",
  tenantId: "local",
  scopes: [ALL_SCOPES, "operator", "work"],
};

/** The owner of jobs, batches and feeds. */
export interface Owner {
  tenant: string;
  owner: string;
}

/** One owner or, without `owner`, all owners of a tenant. */
export interface OwnerFilter {
  readonly tenant: string;
  readonly owner?: string | undefined;
}

export function isSameOwner(one: Owner, other: Owner): boolean {
  return one.tenant === other.tenant && one.owner === other.owner;
}

export function ownerOf(principal: Principal): Owner {
  return { tenant: principal.tenantId, owner: principal.userId };
}

export function hasScope({ scopes }: Principal, scope: Scope): boolean {
  return scopes.includes(scope) || (scopes.includes(ALL_SCOPES) && PERSON_SCOPES.includes(scope));
}

type Stream = "job" | "batch";

/** True if a scope lets the principal read some single job or batch. */
export function readsSome({ scopes }: Principal, stream: Stream): boolean {
  return scopes.some((scope) => scope.startsWith(`${stream}:`));
}

/** A principal never reads across tenants. */
export function mayRead(
  principal: Principal,
  stream: Stream,
  record: Owner & { id: string },
): boolean {
  if (record.tenant !== principal.tenantId) return false;
  return (
    mayReadLines(principal, record) || principal.scopes.includes(`${stream}:${record.id}:read`)
  );
}

/** Those who work with a job read its log lines. A credential for this job alone, such as a share link, does not. */
export function mayReadLines(principal: Principal, record: Owner): boolean {
  return (
    record.tenant === principal.tenantId &&
    hasScope(principal, "jobs:read") &&
    reaches(principal, record)
  );
}

/** True if the principal may change this job or batch, provided that a scope lets it change any. */
export function mayChange(principal: Principal, record: Owner): boolean {
  return record.tenant === principal.tenantId && reaches(principal, record);
}

/** For records of the principal's tenant. */
function reaches(principal: Principal, { owner }: Owner): boolean {
  return owner === principal.userId || principal.scopes.includes("tenant");
}
