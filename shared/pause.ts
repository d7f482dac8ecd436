/** A pause: jobs that it concerns wait until it is removed. Those that run go on. */
import type { AuditActor } from "./audit.ts";

/** Without either: all jobs of the instance. With both: the tenant's jobs of the kind. */
export interface PauseScope {
  tenant?: string | undefined;
  kind?: string | undefined;
}

export interface Pause extends PauseScope {
  at: Date;
  /** For people, such as "the mail provider is down". Empty: none. */
  note: string;
  by: Pick<AuditActor, "user" | "via">;
}

/** True for the pause of all jobs of the instance. */
export function isOfAll({ tenant, kind }: PauseScope): boolean {
  return tenant === undefined && kind === undefined;
}

/** True if the scope has the job. */
export function isPausedBy(
  { tenant, kind }: PauseScope,
  job: { readonly tenant: string; readonly kind: string },
): boolean {
  return (tenant ?? job.tenant) === job.tenant && (kind ?? job.kind) === job.kind;
}

/** For people: `everything`, `the tenant "acme"`. */
export function textOfScope({ tenant, kind }: PauseScope): string {
  const ofTenant = tenant === undefined ? "" : `the tenant ${JSON.stringify(tenant)}`;
  if (kind === undefined) return ofTenant === "" ? "everything" : ofTenant;
  const ofKind = `the kind ${JSON.stringify(kind)}`;
  return ofTenant === "" ? ofKind : `${ofKind} of ${ofTenant}`;
}
