/** The parts of the server that Socket.IO connections use. */
import type { TransportContext } from "#server/transports/contract.ts";
import type { Deadlines } from "#server/transports/callers/deadlines.ts";
import type { Principal } from "#shared/principal.ts";
import type { SessionStreamRef } from "#shared/stream-ref.ts";
import type { Call } from "./calls.ts";
import type { AnyOpening } from "./opening.ts";

/** The parts that all connections share. */
export interface ConnectionContext extends Pick<
  TransportContext,
  | "identify"
  | "clock"
  | "limits"
  | "onCredentialEnd"
  | "credentialLimits"
  | "sessions"
  | "observer"
  | "log"
> {
  deadlines: Deadlines;
  call: Call;
  /** `device`: identifies a caller that has no user id of its own, also after it came back. */
  open: (principal: Principal, ref: SessionStreamRef, device: string) => AnyOpening;
}
