/** The limits of this server: counts what callers do, and refuses with `RATE_LIMITED` what is beyond a limit. */
import type { Connector, TenantQuota } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import type { Principal } from "#shared/principal.ts";
import { type ClientAddress, createClientAddress } from "./client-address.ts";
import { limitError, type LimitName, LIMITS, type Most } from "./limits.ts";
import { CallTurns } from "./call-turns.ts";
import { createOpenCounts } from "./open-counts.ts";
import { Rate, type Refusal } from "./rate.ts";
import { createSlow, type Slow, SLOW_REFUSAL_MS } from "./slow-refusals.ts";
import { createSharedRedis } from "./shared-redis.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

export type { ClientAddress } from "./client-address.ts";

/** The limits of how many may be open at the same time. */
type AddressCount = "address_connections" | "address_unauthenticated";
type UserCount = "user_connections" | "user_subscriptions";

/** Counts it off. Idempotent. */
export type Release = () => void;

/** Errors are `AppError`s of the code `RATE_LIMITED`. */
export interface Limits {
  readonly addresses: ClientAddress;
  /** Counts something as open for an address. Returns the error if it may not be open. */
  openForAddress(name: AddressCount, address: string): Release | AppError;
  /**
   * The same for a user. Rejects with the error. A refusal counts as a call, so that a client that keeps asking is refused as one
   * that keeps calling.
   */
  openForUser(name: UserCount, principal: Principal): Promise<Release>;
  /**
   * Counts a call of a user. Returns the error of a call that must not run; a user that keeps calling receives it later. The
   * call of a user that makes many at once may run in a later turn of the event loop. Never rejects.
   */
  call(principal: Principal): AppError | undefined | Promise<AppError | undefined>;
  /** True while there may be a user that `refusedCall` refuses. */
  refusesCalls(): boolean;
  /** The same as `call` for a call that is known to be refused. Returns `undefined` for all others, and counts none. */
  refusedCall(principal: Principal): Promise<AppError> | undefined;
  /** Counts refused credentials. Resolves to the error once there were too many, after a delay. */
  failedSignIn(address: string): Promise<AppError | undefined>;
  /** Counts jobs that a tenant is about to create. Rejects with the error. */
  createJobs(tenant: string, jobs: number): Promise<void>;
  /** The error that `createJobs` would reject with, if that is known. Counts nothing. */
  refusedJobs(tenant: string, jobs: number): AppError | undefined;
  /** The engine refuses what is beyond it. */
  readonly quota: TenantQuota;
  /** The error for what the engine has refused. */
  quotaError(what: keyof TenantQuota, tenant: string): AppError;
  close(): Promise<void>;
}

/** Milliseconds after which something open, or stored, may have ended. */
const OPEN_RETRY_MS = 5000;
const STORED_RETRY_MS = 30_000;
const QUOTA_LIMITS = { waitingJobs: "tenant_waiting_jobs", bytes: "tenant_bytes" } as const;
const NOTHING: Release = () => {};

export interface LimitsOptions {
  most: Most;
  trusted: TrustedProxies;
  /** Absent: this process alone serves the callers. */
  connector?: Connector | undefined;
  /** Seconds. */
  windows?: { calls?: number; failedSignIns?: number; createdJobs?: number };
  /** The time of a delayed refusal. */
  slowMs?: number;
  /** Tells of each refusal. `who`: the address, the user or the tenant; for the log. */
  onRefused(name: LimitName, who: string): void;
  /** See `createClientAddress`. */
  onUnlisted?: (peer: string) => void;
}

export function openLimits({
  most,
  trusted,
  connector,
  windows: { calls: callsS = 10, failedSignIns: failedS = 60, createdJobs: createdS = 60 } = {},
  slowMs = SLOW_REFUSAL_MS,
  onRefused,
  onUnlisted,
}: LimitsOptions): Limits {
  const redis = connector && createSharedRedis(connector);
  const counts = createOpenCounts({ redis });
  const rateOf = (name: LimitName, windowS: number, points = most[name]) =>
    points === 0 ? undefined : new Rate({ name, points, windowS, redis });
  const calls = rateOf("user_calls", callsS, most.user_calls * callsS);
  const failedSignIns = rateOf("address_failed_sign_ins", failedS);
  const turns = new CallTurns();
  /** On the clock of `performance.now()`. */
  let callsRefusedUntil = 0;
  const [slowCalls, slowSignIns] = [createSlow(slowMs), createSlow(slowMs)];
  const createdJobs = rateOf("tenant_created_jobs", createdS);

  function refused(name: LimitName, who: string, retryAfterMs: number): AppError {
    onRefused(name, who);
    return limitError(name, most[name], retryAfterMs);
  }

  function errorOf(
    name: LimitName,
    who: string,
    refusal: Refusal | undefined,
  ): AppError | undefined {
    return refusal && refused(name, who, refusal.retryAfterMs);
  }

  async function refuseLater(
    name: LimitName,
    who: string,
    { retryAfterMs }: Refusal,
    slow: Slow,
  ): Promise<AppError> {
    const before = performance.now();
    await slow();
    return refused(name, who, retryAfterMs - (performance.now() - before));
  }

  async function refuseCall(user: string, refusal: Refusal): Promise<AppError> {
    callsRefusedUntil = Math.max(callsRefusedUntil, performance.now() + refusal.retryAfterMs);
    // The client does not wait as it was told.
    if (refusal.times > most.user_calls) return refuseLater("user_calls", user, refusal, slowCalls);
    return refused("user_calls", user, refusal.retryAfterMs);
  }

  function countCall(user: string): AppError | undefined | Promise<AppError | undefined> {
    if (calls === undefined) return undefined;
    const taken = calls.take(user);
    if (taken === undefined) return turns.of(user);
    if (!(taken instanceof Promise)) return refuseCall(user, taken);
    return taken.then((refusal) =>
      refusal === undefined ? turns.of(user) : refuseCall(user, refusal),
    );
  }

  return {
    addresses: createClientAddress(trusted, onUnlisted),
    openForAddress(name, address) {
      if (most[name] === 0) return NOTHING;
      const release = counts.openNow(`${name}|${address}`, most[name]);
      return release ?? refused(name, address, OPEN_RETRY_MS);
    },
    async openForUser(name, principal) {
      if (most[name] === 0) return NOTHING;
      const user = userOf(principal);
      const release = await counts.open(`${name}|${user}`, most[name]);
      if (release !== undefined) return release;
      throw (await countCall(user)) ?? refused(name, user, OPEN_RETRY_MS);
    },
    call: (principal) => countCall(userOf(principal)),
    refusesCalls: () => performance.now() < callsRefusedUntil,
    refusedCall(principal) {
      const user = userOf(principal);
      const refusal = calls?.refusal(user);
      return refusal && refuseCall(user, refusal);
    },
    async failedSignIn(address) {
      const refusal = await failedSignIns?.take(address);
      return refusal && refuseLater("address_failed_sign_ins", address, refusal, slowSignIns);
    },
    async createJobs(tenant, jobs) {
      assertFits("tenant_created_jobs", jobs, most);
      assertFits("tenant_waiting_jobs", jobs, most);
      const refusal = await createdJobs?.take(encodeURIComponent(tenant), jobs);
      const error = errorOf("tenant_created_jobs", tenant, refusal);
      if (error !== undefined) throw error;
    },
    refusedJobs(tenant, jobs) {
      // `createJobs` refuses for another reason what can never be created.
      if (jobs > most.tenant_created_jobs) return undefined;
      const refusal = createdJobs?.refusal(encodeURIComponent(tenant), jobs);
      return errorOf("tenant_created_jobs", tenant, refusal);
    },
    quota: { waitingJobs: most.tenant_waiting_jobs, bytes: most.tenant_bytes },
    quotaError: (what, tenant) => refused(QUOTA_LIMITS[what], tenant, STORED_RETRY_MS),
    close: () => counts.close(),
  };
}

/** Ids may contain any characters. */
function userOf({ tenantId, userId }: Principal): string {
  return `${encodeURIComponent(tenantId)}/${encodeURIComponent(userId)}`;
}

/** To wait is of no use for a batch that is larger than the limit. */
function assertFits(name: LimitName, jobs: number, most: Most): void {
  if (most[name] === 0 || jobs <= most[name]) return;
  throw new AppError(
    "BAD_REQUEST",
    `A batch of ${jobs} jobs can never be created here: ${LIMITS[name].variable} is ${most[name]}. Split it.`,
  );
}
