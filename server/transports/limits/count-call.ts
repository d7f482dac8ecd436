/** Counts a call that a transport answers outside of tRPC's procedures. */
import type { Limits } from "#server/limits/open.ts";
import type { Principal } from "#shared/principal.ts";

/** Rejects with `RATE_LIMITED` if the call must not run. */
export async function countCall(limits: Limits | undefined, principal: Principal): Promise<void> {
  const limited = await limits?.call(principal);
  if (limited !== undefined) throw limited;
}
