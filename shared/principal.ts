/** Who asks. Every command, read and subscription carries one, also while nobody has to sign in. */
import { z } from "zod";

export const Principal = z.object({
  userId: z.string().min(1),
  tenantId: z.string().min(1),
  scopes: z.array(z.string()),
});
export type Principal = z.infer<typeof Principal>;

/** The one principal of a server without authentication. */
export const LOCAL_PRINCIPAL: Principal = { userId: "local", tenantId: "local", scopes: ["*"] };

/** What jobs, batches and feeds belong to. */
export const Owner = z.object({ tenant: z.string().min(1), owner: z.string().min(1) });
export type Owner = z.infer<typeof Owner>;

export function ownerOf(principal: Principal): Owner {
  return { tenant: principal.tenantId, owner: principal.userId };
}

export function owns(principal: Principal, record: Owner): boolean {
  return record.tenant === principal.tenantId && record.owner === principal.userId;
}
