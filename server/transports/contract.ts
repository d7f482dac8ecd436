/**
 * A transport serves requests and connections under its own paths. All transports show the same jobs and streams.
 * `docs/add-a-transport.md` shows how to write one.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import type { Audit } from "#server/auth/audit.ts";
import type { Shares } from "#server/auth/shares.ts";
import type { Tickets, TicketTarget } from "#server/auth/tickets.ts";
import type { Jobs } from "#server/jobs/jobs.ts";
import type { Limits } from "#server/limits/open.ts";
import type { OidcProvider } from "#server/oidc/provider.ts";
import type { Sessions } from "#server/sessions/open.ts";
import type { SignIns } from "#server/sign-ins/open.ts";
import type { PresenceService } from "#server/presence/open.ts";
import type { PauseCommands } from "#server/auth/pauses.ts";
import type { Workers } from "#server/auth/workers.ts";
import type { Schedules } from "#server/schedules/schedules.ts";
import type { WorkService } from "#server/work/open.ts";
import type { Streams } from "#server/streams/open.ts";
import type { SystemInfo } from "#shared/api.ts";
import type { ActorVia } from "#shared/actor.ts";
import type { AuditActor } from "#shared/audit.ts";
import type { Clock } from "#shared/clock.ts";
import type { CheckedCaller, CredentialRef } from "#shared/checked-caller.ts";
import type { Revoked, ToRevoke } from "#shared/revocation.ts";
import type { SignInMethod } from "#shared/sign-in.ts";
import type { CredentialLimits } from "./callers/credential-end.ts";
import type { TransportObserver } from "./observer.ts";
import type { ConnectionUsage } from "./usage.ts";
import type { Authenticated, Principal } from "#shared/principal.ts";

/**
 * The requests that a path accepts (checked in `origins.ts`):
 * - `data`: jobs, streams and commands. The server refuses pages of foreign origins, and requests for an unknown host.
 * - `link`: like `data`, and pages of every origin may send a person there, so that the window shows it. They cannot read or
 *   embed it.
 * - `page`: static files that hold no data. Pages of every origin may link to them.
 * - `public`: health, metrics and static sites. Like `page`, and under any host name if other machines reach the server.
 */
export type Access = "data" | "link" | "page" | "public";

export interface Transport {
  readonly name: string;
  /** Returns the access of a path (`/trpc/job.get`, without the query), or `undefined` if another transport serves it. */
  access(path: string): Access | undefined;
  request(req: IncomingMessage, res: ServerResponse): void;
  /** `false`: the answer to this request is not to be compressed. Absent: it may be. */
  mayCompress?(req: IncomingMessage): boolean;
  /** Its lasting connections in numbers, which a scrape reads. Absent: it has none. */
  usage?(): readonly ConnectionUsage[];
  /** The names of the procedures that it serves, for counts by procedure. */
  readonly procedures?: readonly string[];
  /** It counts the sessions of an address, so that their requests do not count. */
  readonly countsSessions?: true;
  /**
   * Returns, as JSON, the answer to a request that the server refused before it reached this transport. Absent, or `undefined`:
   * the message goes out as plain text. If the path of a broken request is unknown, the first transport with this method
   * answers. `retryAfterMs` belongs to the status 429.
   */
  refusal?(status: number, message: string, retryAfterMs?: number): string | undefined;
  /** The media type of `refusal`. Absent: `application/json`. */
  readonly refusalType?: string;
  /**
   * Takes over a connection that requests an upgrade. Its access was checked as `data`, whatever its path. Absent: the
   * server refuses upgrades.
   */
  upgrade?(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Hand-over: within `ms`, tells one client after the other to reconnect, at a steady pace, and closes their
   * connections. The transport still serves clients that connect meanwhile. Absent: it has no lasting connections.
   */
  handOver?(ms: number): Promise<void>;
  /** Tells all clients to reconnect, then closes every connection. */
  close(): Promise<void>;
}

/** The parts of the server that every transport uses. */
export interface TransportContext {
  jobs: Jobs;
  streams: Streams;
  presence: PresenceService;
  schedules: Schedules;
  pauses: PauseCommands;
  workers: Workers;
  work: WorkService;
  sessions: Sessions;
  audit: Pick<Audit, "list">;
  identify: Identify;
  /** By which credentials end. */
  clock: Clock;
  /** Of connections whose credentials end, or never come. */
  credentialLimits: CredentialLimits;
  /** Absent if the server has no tokens to sign in with, or an embedding program authenticates its callers. */
  signIns?: SignInContext | undefined;
  /**
   * Calls the listener when the caller's credential is found to have ended before its time. Returns what stops it. Absent if
   * an embedding program authenticates the callers, or none are asked who they are.
   */
  onCredentialEnd?: ((caller: Caller, listener: () => void) => () => void) | undefined;
  /** Ends credentials of a tenant. Absent as `onCredentialEnd` is. */
  revoke?: ((tenant: string, what: ToRevoke, actor: AuditActor) => Promise<Revoked>) | undefined;
  /** Lets others watch jobs and batches, and streams be opened by tickets. Absent as `onCredentialEnd` is. */
  sharing?: Sharing | undefined;
  /** Absent if callers are not limited. */
  limits?: Limits | undefined;
  system: SystemInfo;
  /** Heartbeat of open connections: the time between pings, and the longest time to an answer. */
  ping: { intervalMs: number; timeoutMs: number };
  /** The high-water mark of one connection, and the time without any progress after which a full one has stalled. */
  backpressure: { highWaterBytes: number; stallTimeoutMs: number };
  /** Compress events, answers and the page for clients that ask for it. */
  compression: boolean;
  /** Absent: nothing is counted. */
  observer?: TransportObserver | undefined;
  log: Logger;
}

export type Sharing = Shares & { issueTicket: Tickets["issue"] };

export interface SignInCookie {
  /** `Set-Cookie` for a new sign-in that ends in `maxAgeMs`. */
  set(secret: string, maxAgeMs: number): string;
  /** `Set-Cookie` that deletes it. */
  clear(): string;
}

export interface SignInCookies {
  /** True if there is such a cookie, whether it counts or not. */
  isSent(headers: IncomingHttpHeaders): boolean;
  /** Returns the secret of the cookie if there is one that counts. */
  secretIn(headers: IncomingHttpHeaders): string | undefined;
  /** Returns the cookie that the page of this request may set; `undefined`: it may not sign in. */
  cookieFor(headers: IncomingHttpHeaders): SignInCookie | undefined;
}

export interface SignInContext {
  signIns: SignIns;
  cookies: SignInCookies;
  methods: readonly SignInMethod[];
  /** Present if people can sign in with OpenID Connect. */
  provider?: OidcProvider | undefined;
}

/** Credentials as a transport received them. */
export interface Credentials {
  headers: IncomingMessage["headers"];
  /** Clients that cannot set headers send it when they connect. It wins over the header. */
  token?: string | undefined;
  /** The ticket in the address of one stream. It wins over both. */
  ticket?: { text: string; target: TicketTarget } | undefined;
  /** The address that refused credentials count for (`limits/client-address.ts`). Absent: they are not limited. */
  address?: string | undefined;
}

/**
 * Identifies the caller. For bad credentials it rejects with an `AppError` of the code `UNAUTHENTICATED`, `TOKEN_EXPIRED` or
 * `FORBIDDEN`, and the caller receives its message. The server logs any other error, and the caller receives `UNAVAILABLE`.
 */
export type Authenticate = (credentials: Credentials) => Promise<Authenticated>;

/** A caller whose credentials were accepted. */
export interface Caller {
  readonly principal: Principal;
  /** When its credentials end, in milliseconds since the epoch; `undefined` if they do not. */
  readonly expiresAt: number | undefined;
  /** How it proved who it is. */
  readonly via: ActorVia;
  /** Absent where the `authenticate` of an embedding program answers. */
  readonly credential?: CredentialRef | undefined;
  /** Present if a cookie identifies the caller. */
  readonly signInId?: string | undefined;
  /** Present if a stream token or a share link identifies the caller: who made it, with `credential`. */
  readonly maker?: CheckedCaller["maker"];
  readonly link?: CheckedCaller["link"];
  readonly ticket?: CheckedCaller["ticket"];
}

/** `Authenticate`, guarded: rejects with an `AppError` only, within a bounded time (`authentication-guard.ts`). */
export type Identify = (credentials: Credentials) => Promise<Caller>;
