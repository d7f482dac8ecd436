/**
 * The end of a tRPC WebSocket whose credentials end, or never come:
 *
 *   unidentified ────────────── identifyMs ──► closed
 *     │ accepted
 *     ▼
 *   identified ── they end ──► told ─ graceMs ─► closed
 *     ▲     │                   │
 *     └─────┼──── newer ones ───┘
 *           │ they grant less
 *           ▼
 *        leaving ───────────────────── 1 s ────► closed
 *
 * `told`: the client was told to reconnect. Stock clients then open another connection with the token of that moment, move
 * their subscriptions to it, and close this one.
 */
import type { CredentialLimits } from "#server/transports/callers/credential-end.ts";
import type { DeadlineOwner, Deadlines } from "#server/transports/callers/deadlines.ts";
import { POLICY_VIOLATION } from "#server/transports/sockets/close-codes.ts";

/** Enough for the answer to the call that ends the connection. */
const LAST_ANSWER_MS = 1000;

/** The parts of a connection that its lifetime uses. */
export interface MortalPeer {
  isOpen(): boolean;
  tellToReconnect(): void;
  close(code: number, reason: string): void;
}

export interface LifetimeOptions {
  readonly deadlines: Deadlines;
  readonly credentialLimits: CredentialLimits;
}

type State = "unidentified" | "identified" | "told" | "leaving";

/** Only connections that may end by themselves have one. */
export class Lifetime implements DeadlineOwner {
  readonly #peer: MortalPeer;
  readonly #shared: LifetimeOptions;
  #state: State = "unidentified";

  constructor(peer: MortalPeer, shared: LifetimeOptions) {
    this.#peer = peer;
    this.#shared = shared;
  }

  /** The client has to identify itself. */
  begin(): void {
    this.#endIn(this.#shared.credentialLimits.identifyMs);
  }

  /** The server checks what the client has sent. That may take a while, which is not the client's fault. */
  identifying(): void {
    this.#shared.deadlines.delete(this);
  }

  /** The client's credentials were accepted. They end in `ms`, or not at all. */
  identified(ms: number | undefined): void {
    // A further refresh must not keep subscriptions that relied on the rights that were lost.
    if (this.#state === "leaving") return;
    this.#state = "identified";
    if (ms === undefined) this.#shared.deadlines.delete(this);
    else this.#endIn(ms);
  }

  /** The client must come back on another connection, where all of its requests are checked again. */
  renew(): void {
    this.#tell("leaving", LAST_ANSWER_MS);
  }

  due(): void {
    if (this.#state === "identified") this.#tell("told", this.#shared.credentialLimits.graceMs);
    else if (this.#state !== "unidentified")
      this.#peer.close(POLICY_VIOLATION, "The credentials ended");
    else this.#peer.close(POLICY_VIOLATION, "No valid credentials arrived in time");
  }

  closed(): void {
    this.#shared.deadlines.delete(this);
  }

  #tell(state: "told" | "leaving", graceMs: number): void {
    if (this.#state === "leaving") return;
    this.#state = state;
    this.#peer.tellToReconnect();
    this.#endIn(graceMs);
  }

  #endIn(ms: number): void {
    if (this.#peer.isOpen()) this.#shared.deadlines.set(this, ms);
  }
}
