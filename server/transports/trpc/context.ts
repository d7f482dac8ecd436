/** The context of procedures. */
import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { TRPCError } from "@trpc/server";
import type { Audit } from "#server/auth/audit.ts";
import type { Jobs } from "#server/jobs/jobs.ts";
import type { Limits } from "#server/limits/open.ts";
import type { PresenceService } from "#server/presence/open.ts";
import type { PauseCommands } from "#server/auth/pauses.ts";
import type { Workers } from "#server/auth/workers.ts";
import type { Schedules } from "#server/schedules/schedules.ts";
import type { Streams } from "#server/streams/open.ts";
import type { Trace } from "#server/tracing/call-span.ts";
import type { Caller, Identify, Sharing, TransportContext } from "#server/transports/contract.ts";
import {
  assertSameUser,
  expiredError,
  losesScope,
  msToEnd,
} from "#server/transports/callers/credential-end.ts";
import {
  type CredentialEnds,
  endWithCredential,
} from "#server/transports/callers/end-with-credential.ts";
import type { SentCounts } from "#server/transports/usage.ts";
import type { Clock } from "#shared/clock.ts";
import { AppError } from "#shared/errors.ts";
import type { SystemInfo } from "#shared/api.ts";
import type { ActingPrincipal } from "#shared/actor.ts";
import { auditActorOf } from "#shared/audit.ts";
import type { Principal } from "#shared/principal.ts";
import type { Revoked, ToRevoke } from "#shared/revocation.ts";
import type { Batch } from "./batch.ts";
import { untilDrained } from "./drain.ts";
import { endFor, endForGood } from "./end-for-good.ts";
import { toTRPCError } from "./errors.ts";
import type { Lifetime } from "./ws-lifetime.ts";

export interface Services {
  readonly jobs: Jobs;
  readonly streams: Streams;
  readonly presence: PresenceService;
  readonly schedules: Schedules;
  readonly pauses: PauseCommands;
  readonly workers: Workers;
  readonly audit: Pick<Audit, "list">;
  readonly system: SystemInfo;
  readonly identify: Identify;
  readonly clock: Clock;
  readonly limits?: Limits | undefined;
}

/** The services that the contexts of procedures share. */
export type ContextServices = Services &
  CredentialEnds &
  Pick<TransportContext, "revoke" | "sharing"> & {
    /** Called when a connection that had no caller got one. */
    identified?: (socket: Writable) => void;
    /** The address that refused credentials of a connection count for. */
    addressOf?: (socket: Writable) => string | undefined;
  };

/** A connection that can outlive its caller's credentials. */
export interface LastingConnection {
  /** Creates it with the first call. */
  lifetime(): Lifetime;
}

const OWN_CREDENTIALS =
  "Only a WebSocket connection can be refreshed. An HTTP request has its own credentials.";

const NOT_OURS =
  "This server does not issue or check tokens itself, so it cannot revoke any: its program decides who may call.";

const NO_SHARING =
  "Only a server that checks tokens or API keys itself issues stream tokens, share links and tickets. Configure one of " +
  "AUTH_JWT_SECRET, AUTH_JWKS_URL and AUTH_API_KEYS.";

/** A class to save memory: each connection keeps one. */
export class Context implements Services {
  readonly #services: ContextServices;
  readonly #socket: Writable;
  #caller: Caller | TRPCError;
  readonly #connection: LastingConnection | undefined;
  readonly #ended: AbortSignal | undefined;
  /** Of a WebSocket's newest credential (`end-with-credential.ts`). */
  #stopWatching: (() => void) | undefined;
  /** The batch of the call; `undefined` for a call outside a batch. */
  readonly batch: Batch | undefined;
  /** Counts the entries of a stream over HTTP. */
  readonly sent: SentCounts | undefined;
  readonly #response: ServerResponse | undefined;
  /** The trace that the caller sent, for all calls. */
  readonly trace: Trace | undefined;
  #device: string | undefined;

  /**
   * `caller`: or the reason for its absence. `connection`: only for WebSockets. `response`: only for HTTP requests. `ended`:
   * only for streams over HTTP whose caller's credentials end; aborts then. `sent`: only for streams over HTTP.
   */
  constructor(
    services: ContextServices,
    connection: {
      socket: Writable;
      caller: Caller | TRPCError;
      connection?: LastingConnection | undefined;
      batch?: Batch | undefined;
      response?: ServerResponse | undefined;
      ended?: AbortSignal | undefined;
      sent?: SentCounts | undefined;
      stopWatching?: (() => void) | undefined;
      trace?: Trace;
    },
  ) {
    this.#services = services;
    this.#socket = connection.socket;
    this.#caller = connection.caller;
    this.#connection = connection.connection;
    this.batch = connection.batch;
    this.#response = connection.response;
    this.#ended = connection.ended;
    this.sent = connection.sent;
    this.#stopWatching = connection.stopWatching;
    this.trace = connection.trace;
  }

  get clock(): Clock {
    return this.#services.clock;
  }

  get jobs(): Jobs {
    return this.#services.jobs;
  }

  get streams(): Streams {
    return this.#services.streams;
  }

  get presence(): PresenceService {
    return this.#services.presence;
  }

  get schedules(): Schedules {
    return this.#services.schedules;
  }

  get pauses(): PauseCommands {
    return this.#services.pauses;
  }

  get workers(): Workers {
    return this.#services.workers;
  }

  get audit(): Pick<Audit, "list"> {
    return this.#services.audit;
  }

  get identify(): Identify {
    return this.#services.identify;
  }

  get limits(): Limits | undefined {
    return this.#services.limits;
  }

  get system(): SystemInfo {
    return this.#services.system;
  }

  /** The error that answers every call without a principal. The connection stays open, so that each call receives it. */
  refusal(): TRPCError | undefined {
    return this.#caller instanceof TRPCError ? this.#caller : undefined;
  }

  /** Throws `refusal()` if there is one. */
  caller(): Caller {
    if (this.#caller instanceof TRPCError) throw this.#caller;
    return this.#caller;
  }

  principal(): Principal {
    return this.caller().principal;
  }

  /** Names this connection for callers that name no device of their own. */
  get device(): string {
    return (this.#device ??= randomUUID());
  }

  /** For commands: the principal with the credential that it has at this moment. */
  acting(): ActingPrincipal {
    const { principal, via, credential } = this.caller();
    return { ...principal, via, credential };
  }

  /**
   * Replaces the credentials of a connection. Rejects as `Identify` does, with `FORBIDDEN` for another user's, and with
   * `BAD_REQUEST` where each request has its own.
   */
  async refresh(token: string): Promise<Caller> {
    const connection = this.#connection;
    if (connection === undefined) throw new AppError("BAD_REQUEST", OWN_CREDENTIALS);
    const address = this.#services.addressOf?.(this.#socket);
    const next = await this.identify({ headers: {}, token, address });
    const before = this.#caller;
    const known = before instanceof TRPCError ? undefined : before.principal;
    if (known !== undefined) assertSameUser(known, next.principal);
    this.#caller = next;
    if (known === undefined) this.#services.identified?.(this.#socket);
    this.#stopWatching?.();
    this.#stopWatching = endWithCredential(this.#services, next, this.#socket);
    if (known !== undefined && losesScope(known, next.principal)) connection.lifetime().renew();
    else connection.lifetime().identified(msToEnd(next, this.#services.clock));
    return next;
  }

  /** Ends credentials of the caller's tenant. */
  async revoke(what: ToRevoke): Promise<Revoked> {
    const admin = this.acting();
    const { revoke } = this.#services;
    if (revoke === undefined) throw new AppError("FORBIDDEN", NOT_OURS);
    return revoke(admin.tenantId, what, auditActorOf(admin));
  }

  /** Throws `FORBIDDEN` where callers are anonymous, or an embedding program knows who they are. */
  sharing(): Sharing {
    const { sharing } = this.#services;
    if (sharing === undefined) throw new AppError("FORBIDDEN", NO_SHARING);
    return sharing;
  }

  /** Returns the signal of a stream, which ends with its caller's credentials too. */
  untilExpired(signal: AbortSignal | undefined): AbortSignal | undefined {
    if (this.#ended === undefined) return signal;
    return signal === undefined ? this.#ended : AbortSignal.any([this.#ended, signal]);
  }

  /** Throws `TOKEN_EXPIRED` if the caller's credentials have ended. Call it when a stream has ended. */
  assertCurrent(): void {
    if (this.#ended?.aborted ?? false) throw toTRPCError(expiredError());
  }

  /** For pulled streams: resolves when the connection is no longer full. */
  untilDrain(): Promise<void> {
    return untilDrained(this.#socket);
  }

  /** Marks the ending stream as complete, so that its client does not reconnect. */
  endForGood(): void {
    if (this.#response !== undefined) endForGood(this.#response);
  }

  /** Marks the ending stream: its client reconnects in `ms`. */
  endFor(ms: number): void {
    if (this.#response !== undefined) endFor(this.#response, ms);
  }
}
