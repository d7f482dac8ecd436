/** The principal of commands in tests: that of a server without authentication. */
import type { ActingPrincipal } from "#shared/actor.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";

export const me: ActingPrincipal = { ...LOCAL_PRINCIPAL, via: "anonymous" };
