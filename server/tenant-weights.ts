/** The value of TENANT_WEIGHTS: how often a tenant's jobs come when others have work too. */
import { list } from "#shared/variables.ts";
import type { TenantWeights } from "./engine/turns.ts";

/** Tenants that may have a weight of their own. */
const MAX_WEIGHTED_TENANTS = 1000;
const MAX_TENANT_WEIGHT = 100;
const MUST = `must be tenants with their weights, whole numbers from 1 to ${MAX_TENANT_WEIGHT}, separated by commas, such as acme=3,globex=2`;

export const tenantWeights = list.transform((entries, context): TenantWeights => {
  const weights = new Map<string, number>();
  const fail = (message: string): void => context.addIssue({ code: "custom", message });
  if (entries.length > MAX_WEIGHTED_TENANTS) {
    fail(`must have at most ${MAX_WEIGHTED_TENANTS} tenants; it has ${entries.length}`);
    return weights;
  }
  for (const [index, entry] of entries.entries()) {
    // A tenant's name may contain the sign itself; where spaces follow a number, the comma was forgotten.
    const [, tenant = "", digits = ""] =
      /^(?!.*=\s*\d+\s)(.*\S)\s*=\s*(\d{1,3})$/su.exec(entry) ?? [];
    const weight = Number(digits);
    if (weight < 1 || weight > MAX_TENANT_WEIGHT) fail(`${MUST}; entry ${index + 1} is not so`);
    else if (weights.has(tenant)) fail(`${MUST}; entry ${index + 1} names a tenant again`);
    weights.set(tenant, weight);
  }
  return weights;
});
