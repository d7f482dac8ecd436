/** Which ready jobs a claim takes: a program runs some kinds and not others, and some callers run the jobs of one tenant alone. */
import type { JobSummary } from "#shared/job.ts";

export interface Wanted {
  /** Kinds; no others. Absent: of all kinds. */
  readonly only?: ReadonlySet<string> | undefined;
  /** Kinds that are not wanted. */
  readonly except?: ReadonlySet<string> | undefined;
  /** Absent: of all tenants. */
  readonly tenant?: string | undefined;
}

export function isWantedKind({ only, except }: Wanted, kind: string): boolean {
  return only?.has(kind) !== false && except?.has(kind) !== true;
}

export function isWanted(wanted: Wanted, { kind, tenant }: Pick<JobSummary, "kind" | "tenant">) {
  return isWantedKind(wanted, kind) && (wanted.tenant ?? tenant) === tenant;
}
