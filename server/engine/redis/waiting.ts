/** Why a job waits: its place in the queue, and what the limits of its kind hold back. */
import {
  intervalOf,
  type KindLimits,
  MAX_COUNTED_AHEAD,
  type RateLimit,
  type Waiting,
} from "#server/engine/kind-limits.ts";
import type { Keys } from "./keys.ts";
import type { Permits } from "./permits.ts";
import type { RunScript } from "./scripts.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

/** Of `waiting.lua`. */
type Place =
  | []
  | [
      startsInMs: number,
      ahead: number,
      running: number,
      rateInUs: number,
      kind: string,
      key: string | null,
    ];
/** Of `kind-state.lua`. */
type KindState = [isCounted: number, running: number, rateInUs: number];

interface WaitingOptions {
  run: RunScript;
  keys: Keys;
  tenants: Pick<TenantDirectory, "find">;
  permits: Pick<Permits, "count">;
}

/** The returned function is `waiting` of the contract. */
export function createWaiting({
  run,
  keys,
  tenants,
  permits,
}: WaitingOptions): (jobId: string, limits?: KindLimits) => Promise<Waiting | undefined> {
  async function stateOf(kind: string, { concurrency, rate }: KindLimits) {
    const look = () => run<KindState>("kind-state", keys.ring, kind, ...numbersOf(rate));
    const [isCounted, running, rateInUs] = await look();
    if (concurrency === undefined || isCounted === 1) return { running, rateInUs };
    await permits.count([kind]);
    return { running: (await look())[1], rateInUs };
  }

  return async (jobId, limits = {}) => {
    const numbers = numbersOf(limits.perKey?.rate);
    const place = await tenants.find(jobId, async (tenant) => {
      const found = await run<Place>("waiting", keys.tenant(tenant), jobId, ...numbers);
      return found.length === 0 ? undefined : found;
    });
    if (place === undefined) return undefined;
    const [startsInMs, ahead, runningOfKey, rateInUs, kind, key] = place;
    const isKeyed = key !== null;
    const ofKind = await stateOf(kind, limits);
    return {
      key,
      startsInMs: startsInMs < 0 ? null : startsInMs,
      ahead: Math.min(ahead, MAX_COUNTED_AHEAD),
      running: { kind: ofKind.running, key: isKeyed ? runningOfKey : null },
      rateInMs: {
        kind: Math.ceil(ofKind.rateInUs / 1000),
        key: isKeyed ? Math.ceil(rateInUs / 1000) : null,
      },
    };
  };
}

function numbersOf(rate: RateLimit | undefined): [interval: number, burst: number] {
  return rate === undefined ? [0, 0] : [intervalOf(rate), rate.limit];
}
