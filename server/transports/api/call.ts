/** A call of the API: its caller, and the services that it uses. */
import { randomUUID } from "node:crypto";
import type { TicketTarget } from "#server/auth/tickets.ts";
import type { Caller, Sharing, TransportContext } from "#server/transports/contract.ts";
import type { ActingPrincipal } from "#shared/actor.ts";
import { auditActorOf } from "#shared/audit.ts";
import { AppError } from "#shared/errors.ts";
import type { Principal } from "#shared/principal.ts";
import type { Revoked, ToRevoke } from "#shared/revocation.ts";

const NOT_OURS =
  "This server does not issue or check tokens itself, so it cannot revoke any: its program decides who may call.";
const NO_SHARING =
  "Only a server that checks tokens or API keys itself issues stream tokens, share links and tickets. Configure one of " +
  "AUTH_JWT_SECRET, AUTH_JWKS_URL and AUTH_API_KEYS.";

export class Call {
  readonly context: TransportContext;
  readonly caller: Caller;
  /** The stream at a path, for a ticket. Throws `BAD_REQUEST` where there is none. */
  readonly targetOf: (path: string) => TicketTarget;
  readonly #device = randomUUID();

  constructor(context: TransportContext, caller: Caller, targetOf: Call["targetOf"]) {
    this.context = context;
    this.caller = caller;
    this.targetOf = targetOf;
  }

  get principal(): Principal {
    return this.caller.principal;
  }

  /** For commands: the principal with the credential that it has at this moment. */
  get acting(): ActingPrincipal {
    const { principal, via, credential } = this.caller;
    return { ...principal, via, credential };
  }

  /** Names the caller of a request that names no device. */
  get device(): string {
    return this.#device;
  }

  /** Throws `FORBIDDEN` where callers are anonymous, or an embedding program knows who they are. */
  get sharing(): Sharing {
    const { sharing } = this.context;
    if (sharing === undefined) throw new AppError("FORBIDDEN", NO_SHARING);
    return sharing;
  }

  /** Ends credentials of the caller's tenant. */
  async revoke(what: ToRevoke): Promise<Revoked> {
    const { revoke } = this.context;
    if (revoke === undefined) throw new AppError("FORBIDDEN", NOT_OURS);
    return revoke(this.acting.tenantId, what, auditActorOf(this.acting));
  }
}
