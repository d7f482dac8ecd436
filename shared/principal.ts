/** The caller's identity. Every command, read and subscription carries one, even on a server without authentication. */
import { z } from "zod";
import { isWellFormed } from "./cut-text.ts";
import { MAX_PRINCIPAL_CHARS, MAX_SCOPES } from "./limits.ts";

/** Well-formed: engines store all lone surrogates as the same character, so two ids would become one owner. */
const Id = z
  .string()
  .min(1)
  .max(MAX_PRINCIPAL_CHARS)
  .refine(isWellFormed, "Must be well-formed Unicode");

export const Principal = z.object({
  userId: Id,
  tenantId: Id,
  scopes: z.array(z.string().max(MAX_PRINCIPAL_CHARS)).max(MAX_SCOPES),
});
export type Principal = z.infer<typeof Principal>;

/** The only principal of a server without authentication. */
export const LOCAL_PRINCIPAL: Principal = { userId: "local", tenantId: "local", scopes: ["*"] };

/** The owner of jobs, batches and feeds. */
export const Owner = z.object({ tenant: z.string().min(1), owner: z.string().min(1) });
export type Owner = z.infer<typeof Owner>;

export function ownerOf(principal: Principal): Owner {
  return { tenant: principal.tenantId, owner: principal.userId };
}

export function owns(principal: Principal, record: Owner): boolean {
  return record.tenant === principal.tenantId && record.owner === principal.userId;
}
