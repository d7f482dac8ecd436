/** Keeps the jobs of tenants within their limits. */
import { type Engine, QuotaExceeded, type TenantQuota } from "#server/engine/contract.ts";
import type { AppError } from "#shared/errors.ts";
import type { Principal } from "#shared/principal.ts";

/** Errors are of the code `RATE_LIMITED`. */
export interface TenantLimits {
  /** Counts jobs that are about to be created. Rejects with the error. */
  createJobs(tenant: string, jobs: number): Promise<void>;
  /** The error that `createJobs` would reject with, if that is known. Counts nothing. */
  refusedJobs(tenant: string, jobs: number): AppError | undefined;
  readonly quota: TenantQuota;
  /** The error for what the quota does not allow. */
  quotaError(what: keyof TenantQuota, tenant: string): AppError;
}

export interface LimitedTenants {
  readonly quota: TenantQuota | undefined;
  /** Throws if a call is known to be beyond the limit. Called before it is validated, which would cost more. */
  assertMayCreate(principal: Principal, count: number): void;
  /** Counts jobs and creates them: to count first costs less than to let the engine refuse them. */
  create<T>(principal: Principal, count: number, create: () => Promise<T>): Promise<T>;
  /** Rejects if a settled job of the tenant may not wait again. */
  assertMayWait(tenant: string): Promise<void>;
}

export function limitTenants(
  engine: Pick<Engine, "usage">,
  limits: TenantLimits | undefined,
): LimitedTenants {
  return {
    quota: limits?.quota,
    assertMayCreate({ tenantId }, count) {
      const refused = limits?.refusedJobs(tenantId, count);
      if (refused !== undefined) throw refused;
    },
    async create({ tenantId }, count, create) {
      await limits?.createJobs(tenantId, count);
      try {
        return await create();
      } catch (error) {
        if (limits === undefined || !(error instanceof QuotaExceeded)) throw error;
        throw limits.quotaError(error.what, tenantId);
      }
    },
    async assertMayWait(tenant) {
      const most = limits?.quota.waitingJobs ?? 0;
      if (limits === undefined || most === 0) return;
      const { waitingJobs } = await engine.usage(tenant);
      if (waitingJobs >= most) throw limits.quotaError("waitingJobs", tenant);
    },
  };
}
