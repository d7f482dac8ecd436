/** The usage of a tenant, and its limits. */
import { AppError } from "#shared/errors.ts";

export interface TenantUsage {
  /** Jobs that are not settled. */
  waitingJobs: number;
  /** Of the inputs and outputs of all jobs, as JSON in UTF-8. */
  bytes: number;
}

/** At most; 0 for no limit. */
export type TenantQuota = TenantUsage;

/** Creating this would exceed the quota. Nothing was stored. */
export class QuotaExceeded extends AppError {
  readonly what: keyof TenantQuota;

  constructor(what: keyof TenantQuota) {
    super("RATE_LIMITED", `The tenant's quota of ${what} is used up.`);
    this.what = what;
  }
}

/** Throws `QuotaExceeded`. `fresh`: what is about to be created. */
export function assertQuota(quota: TenantQuota, usage: TenantUsage, fresh: TenantUsage): void {
  for (const what of ["waitingJobs", "bytes"] as const) {
    if (quota[what] > 0 && usage[what] + fresh[what] > quota[what]) throw new QuotaExceeded(what);
  }
}
