/** The user and the tenant that the claims of a token name. */
import { PrincipalSchema } from "#shared/principal.schema.ts";
import type { Principal } from "#shared/principal.ts";
import type { AuthSettings } from "./variables.ts";

export type TenantSettings = Pick<AuthSettings, "AUTH_TENANT_CLAIM" | "AUTH_DEFAULT_TENANT">;

type Named = { principal: Principal } | { claim: string; fault: string };

/** Returns the name of a claim that cannot be used, and why, in place of a principal. */
export function principalOf(
  claims: Readonly<Record<string, unknown>>,
  scopes: readonly string[],
  settings: TenantSettings,
): Named {
  const tenant = claims[settings.AUTH_TENANT_CLAIM] ?? settings.AUTH_DEFAULT_TENANT;
  const parsed = PrincipalSchema.safeParse({ userId: claims.sub, tenantId: tenant, scopes });
  if (parsed.success) return { principal: parsed.data };
  const [issue] = parsed.error.issues;
  const claim = issue?.path[0] === "tenantId" ? settings.AUTH_TENANT_CLAIM : "sub";
  return { claim, fault: issue?.message ?? "It is missing" };
}
