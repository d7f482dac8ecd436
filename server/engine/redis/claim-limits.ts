/** The limits of a claim, in the forms in which its scripts take them. */
import { createHash } from "node:crypto";
import { intervalOf, type KeyLimits, type LimitsOfKinds } from "#server/engine/kind-limits.ts";
import { isWantedKind, type Wanted } from "#server/engine/wanted.ts";
import type { Reserved, Turns } from "./ring.ts";

/** 0: no limit. `interval` in microseconds. */
type Numbers = [concurrency: number, interval: number, burst: number];

export interface ClaimLimits {
  /** The argument of `turns.lua`. */
  forRing(): string;
  /** The argument of `claim.lua` for a tenant. */
  forTenant(tenant: string, turns: Turns): string;
  /** Gives no more jobs of these kinds, since their running ones could not be counted. */
  leaveOut(kinds: readonly string[]): void;
}

/** After that, by the clock of the ring, `claim.lua` gives no job of a kind with limits of all tenants. */
const RESERVED_MS = 30_000;

export function createClaimLimits(
  limits: LimitsOfKinds = new Map(),
  wanted: Wanted = {},
): ClaimLimits {
  const keys: Record<string, Numbers> = {};
  const kinds: Record<string, Numbers> = {};
  for (const [kind, { perKey, ...all }] of limits) {
    if (hasLimit(all) && isWantedKind(wanted, kind)) kinds[kind] = numbersOf(all);
    if (hasLimit(perKey)) keys[kind] = numbersOf(perKey);
  }
  const sig = Object.keys(keys).length === 0 ? "" : hashOf(JSON.stringify(keys));

  const { only, except, tenant: of } = wanted;
  const filter = {
    ...(only !== undefined && { only: namesOf(only) }),
    ...(except !== undefined && { except: namesOf(except) }),
  };
  const isFiltered = only !== undefined || except !== undefined;

  /** How many of each kind a tenant may give. */
  function mostOf(tenant: string, reserved: readonly Reserved[]): Record<string, number> {
    const most: Record<string, number> = {};
    for (const kind of Object.keys(kinds)) most[kind] = 0;
    for (const [of, kind, count] of reserved) if (of === tenant) most[kind] = count;
    return most;
  }

  return {
    forRing() {
      const isPlain = sig === "" && Object.keys(kinds).length === 0;
      if (isPlain && !isFiltered && of === undefined) return "";
      return JSON.stringify({ sig, kinds, ...filter, tenant: of });
    },
    forTenant(tenant, { now, reserved, counted, paused }) {
      const isPlain = sig === "" && counted.length === 0 && Object.keys(kinds).length === 0;
      const waiting = [...(paused.get("") ?? []), ...(paused.get(tenant) ?? [])];
      if (isPlain && !isFiltered && waiting.length === 0) return "";
      return JSON.stringify({
        sig,
        keys,
        most: mostOf(tenant, reserved),
        counted: Object.fromEntries(counted.map((kind) => [kind, true])),
        till: now + RESERVED_MS,
        ...filter,
        ...(waiting.length > 0 && { paused: namesOf(new Set(waiting)) }),
      });
    },
    leaveOut(some) {
      for (const kind of some) kinds[kind] = [-1, 0, 0];
    },
  };
}

/** As the keys of an object, which a script looks up. */
function namesOf(kinds: ReadonlySet<string>): Record<string, true> {
  return Object.fromEntries([...kinds].map((kind) => [kind, true]));
}

/** Of no use but to see that limits are others. */
function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 16);
}

function hasLimit(limits: KeyLimits | undefined): limits is KeyLimits {
  return limits?.concurrency !== undefined || limits?.rate !== undefined;
}

function numbersOf({ concurrency = 0, rate }: KeyLimits): Numbers {
  return [concurrency, rate === undefined ? 0 : intervalOf(rate), rate?.limit ?? 0];
}
