/**
 * A limit of how often something happens: `points` in a window, which begins with the first. `rate-limiter-flexible` counts, in
 * Redis for all gateways together, or in memory.
 *
 * A process takes a share of the points at a time and gives it out by itself, and remembers a refusal until the window ends. So
 * most calls cost a look into a map, and refused ones no more than that. Points of a share that a process does not give out
 * are lost for the other gateways until the window ends.
 */
import { LRUCache } from "lru-cache";
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { SharedRedis } from "./shared-redis.ts";

/** Keys that a process counts; the least recently used one starts anew. */
const MAX_COUNTED_KEYS = 10_000;
/** The part of the points that a process takes at a time. */
const SHARE = 0.05;

export interface RateOptions {
  /** The prefix of its keys. */
  name: string;
  points: number;
  /** In whole seconds. */
  windowS: number;
  redis: SharedRedis | undefined;
}

export interface Refusal {
  /** Milliseconds until there are points again. */
  retryAfterMs: number;
  /** How often this process has refused points of the key in the window, this time included. */
  times: number;
}

/** What a process may still give out until the window ends. */
interface Share {
  left: number;
  /** How often it was too little. */
  refusals: number;
  /** All other points are taken. */
  isLast: boolean;
  /** On the clock of `performance.now()`. */
  until: number;
}

export class Rate {
  readonly #points: number;
  readonly #size: number;
  readonly #redis: SharedRedis | undefined;
  readonly #shared: RateLimiterRedis | undefined;
  readonly #own: RateLimiterMemory;
  readonly #shares: LRUCache<string, Share>;
  readonly #asking = new Map<string, Promise<void>>();

  constructor({ name, points, windowS, redis }: RateOptions) {
    const options = { keyPrefix: name, points, duration: windowS };
    this.#points = points;
    this.#size = Math.max(1, Math.floor(points * SHARE));
    this.#redis = redis;
    this.#own = new RateLimiterMemory(options);
    if (redis !== undefined) {
      this.#shared = new RateLimiterRedis({
        ...options,
        keyPrefix: `${redis.prefix}:${name}`,
        storeClient: redis.client,
      });
    }
    this.#shares = new LRUCache<string, Share>({
      // With `max`, lru-cache would allocate all places at once, for each limit.
      maxSize: MAX_COUNTED_KEYS,
      sizeCalculation: () => 1,
      // Without it, the counts of many strangers would pile up until their windows end.
      dispose: (_share, key, reason) => void (reason === "evict" && this.#own.delete(key)),
    });
  }

  /**
   * Takes points of a key, and returns `undefined`; or takes none, and returns the refusal. Returns a promise only if it has to
   * ask for a new share. It does not reject.
   */
  take(key: string, points = 1): Refusal | undefined | Promise<Refusal | undefined> {
    const share = this.#current(key);
    if (share === undefined || (share.left < points && !share.isLast)) {
      return this.#takeAfterAsking(key, points);
    }
    return giveOut(share, points);
  }

  /** The refusal, if this process knows that there are too few points. Takes none. */
  refusal(key: string, points = 1): Refusal | undefined {
    const share = this.#current(key);
    return share !== undefined && share.left < points && share.isLast ? refuse(share) : undefined;
  }

  #current(key: string): Share | undefined {
    const share = this.#shares.get(key);
    return share !== undefined && performance.now() < share.until ? share : undefined;
  }

  async #takeAfterAsking(key: string, points: number): Promise<Refusal | undefined> {
    for (;;) {
      const asking = this.#asking.get(key);
      if (asking === undefined) {
        const asked = this.#ask(key, points).finally(() => this.#asking.delete(key));
        this.#asking.set(key, asked);
        await asked;
      } else {
        // Calls that arrive together take from the same share.
        await asking;
      }
      const share = this.#current(key);
      if (share !== undefined && (share.left >= points || share.isLast)) {
        return giveOut(share, points);
      }
    }
  }

  async #ask(key: string, points: number): Promise<void> {
    const before = this.#current(key);
    const kept = before?.left ?? 0;
    const wanted = Math.max(points - kept, this.#size);
    const { consumedPoints, msBeforeNext } = await this.#consume(key, wanted);
    const excess = Math.max(0, consumedPoints - this.#points);
    this.#shares.set(key, {
      left: kept + Math.max(0, wanted - excess),
      refusals: before?.refusals ?? 0,
      isLast: excess > 0 || consumedPoints === this.#points,
      until: performance.now() + Math.max(1, msBeforeNext),
    });
  }

  async #consume(key: string, points: number): Promise<RateLimiterRes> {
    const shared = this.#shared;
    const answer = shared && (await this.#redis?.ask(() => answerOf(shared.consume(key, points))));
    return answer ?? answerOf(this.#own.consume(key, points));
  }
}

function giveOut(share: Share, points: number): Refusal | undefined {
  if (share.left < points) return refuse(share);
  share.left -= points;
  return undefined;
}

function refuse(share: Share): Refusal {
  share.refusals += 1;
  return {
    retryAfterMs: Math.max(1, share.until - performance.now()),
    times: share.refusals,
  };
}

/** The library rejects with the same object that it resolves to. */
async function answerOf(consumed: Promise<RateLimiterRes>): Promise<RateLimiterRes> {
  try {
    return await consumed;
  } catch (thrown) {
    if (thrown instanceof RateLimiterRes) return thrown;
    throw thrown;
  }
}
