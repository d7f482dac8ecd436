/** The limits of addresses, users and tenants, as data. The docs have this table, and the metrics have its names. */
import { AppError } from "#shared/errors.ts";
import type { LimitSettings } from "./variables.ts";

export interface Limit {
  variable: Exclude<keyof LimitSettings, "TRUST_PROXY">;
  of: "address" | "user" | "tenant";
  /** For the docs. */
  counts: string;
  /** For the docs. */
  refused: string;
  /** For callers. */
  says: (most: number) => string;
}

export const LIMITS = {
  address_connections: {
    variable: "LIMIT_ADDRESS_CONNECTIONS",
    of: "address",
    counts:
      "TCP connections; behind a trusted proxy open requests and WebSockets; polling sessions",
    refused: "requests and upgrades, before anything is read",
    says: (most) => `Your network address has ${most} connections open, which is the limit.`,
  },
  address_unauthenticated: {
    variable: "LIMIT_ADDRESS_UNAUTHENTICATED",
    of: "address",
    counts: "WebSockets and Socket.IO sessions before they signed in",
    refused: "the upgrade, or the session",
    says: (most) =>
      `Your network address has ${most} connections open that have not signed in, which is the limit.`,
  },
  address_failed_sign_ins: {
    variable: "LIMIT_ADDRESS_FAILED_SIGN_INS",
    of: "address",
    counts: "refused tokens, keys and sign-ins, also those at the provider, a minute",
    refused: "no valid credentials; further refusals come about a second later",
    says: () => "Your network address has sent too many credentials that are not valid.",
  },
  user_connections: {
    variable: "LIMIT_USER_CONNECTIONS",
    of: "user",
    counts: "WebSockets, event streams and Socket.IO connections",
    refused: "the connection or the stream; its client comes back",
    says: (most) => `You have ${most} connections open, which is the limit. Close some.`,
  },
  user_calls: {
    variable: "LIMIT_USER_CALLS",
    of: "user",
    counts:
      "queries, mutations, new subscriptions, Socket.IO requests and refused connections, a second, over ten seconds",
    refused: "each further call; about a second later where the client does not wait",
    says: (most) => `You have made more than ${most} calls a second for ten seconds.`,
  },
  user_subscriptions: {
    variable: "LIMIT_USER_SUBSCRIPTIONS",
    of: "user",
    counts: "subscriptions of all connections",
    refused: "the subscription",
    says: (most) => `You have ${most} subscriptions, which is the limit. Unsubscribe from some.`,
  },
  tenant_waiting_jobs: {
    variable: "LIMIT_TENANT_WAITING_JOBS",
    of: "tenant",
    counts: "jobs that wait or run",
    refused: "new jobs and batches, and decisions that start a job again",
    says: (most) =>
      `Your tenant has ${most} jobs that are not done, or this would exceed that number, which is the limit.`,
  },
  tenant_created_jobs: {
    variable: "LIMIT_TENANT_CREATED_JOBS",
    of: "tenant",
    counts: "created jobs, also those of batches, a minute",
    refused: "new jobs and batches",
    says: (most) => `Your tenant has created the ${most} jobs that it may create in a minute.`,
  },
  tenant_bytes: {
    variable: "LIMIT_TENANT_BYTES",
    of: "tenant",
    counts: "bytes of inputs and outputs, as JSON",
    refused: "new jobs and batches",
    says: (most) =>
      `The jobs of your tenant hold ${most} bytes, or this would exceed that number, which is the limit.`,
  },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;
export const LIMIT_NAMES = Object.keys(LIMITS) as LimitName[];

/** 0: no limit. */
export type Most = Readonly<Record<LimitName, number>>;

/** `anonymous`: no caller signs in, so all of them are the same user. */
export function limitsOf(settings: LimitSettings, { anonymous }: { anonymous: boolean }): Most {
  const applies = (name: LimitName) =>
    !anonymous || name === "address_connections" || LIMITS[name].of === "tenant";
  return Object.fromEntries(
    LIMIT_NAMES.map((name) => [name, applies(name) ? settings[LIMITS[name].variable] : 0]),
  ) as Record<LimitName, number>;
}

export function limitError(name: LimitName, most: number, retryAfterMs: number): AppError {
  const ms = Math.max(1, Math.ceil(retryAfterMs));
  const wait = ms < 1000 ? "in a moment" : `in ${Math.ceil(ms / 1000)} s`;
  const says: (most: number) => string = LIMITS[name].says;
  return new AppError("RATE_LIMITED", `${says(most)} Try again ${wait}.`, { retryAfterMs: ms });
}
