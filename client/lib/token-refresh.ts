/**
 * Keeps the token of a WebSocket current, so that the connection and its subscriptions outlive each token:
 *
 *   connected ──► asks the server when the token ends ──► waits ──► sends a newer token ──► waits …
 *
 * Clients that got their tokens together wait for different times, so that they do not ask for newer ones together.
 */
import type { Tokens } from "./tokens.ts";

/** The calls that go over the connection itself. */
export interface InBand {
  /** Resolves to the milliseconds until the connection's token ends; `null` if it does not. */
  msLeft(): Promise<number | null>;
  /** Replaces the connection's token. Resolves to the milliseconds until the newer one ends. */
  refresh(token: string): Promise<number | null>;
}

/** The shares of a token's remaining life after which it is replaced: a random one between them. */
const EARLIEST = 0.7;
const LATEST = 0.9;
/** So that tokens which end at once do not keep the client busy. */
const MIN_WAIT_MS = 500;
const MAX_RETRY_MS = 30_000;
/** The longest time that a timer takes. */
const MAX_WAIT_MS = 2 ** 31 - 1;

export class TokenRefresh {
  readonly #tokens: Tokens;
  readonly #inBand: InBand;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  /** Counts the connections: what an earlier one has asked no longer matters. */
  #connection = 0;

  constructor(tokens: Tokens, inBand: InBand) {
    this.#tokens = tokens;
    this.#inBand = inBand;
  }

  /** Call it whenever a connection has opened. */
  connected(): void {
    this.#begin(() => this.#inBand.msLeft());
  }

  /** Replaces the token now. */
  now(): void {
    this.#begin(() => this.#renew());
  }

  close(): void {
    this.#connection += 1;
    clearTimeout(this.#timer);
  }

  #begin(ask: () => Promise<number | null>): void {
    this.close();
    this.#failures = 0;
    void this.#follow(ask, this.#connection);
  }

  async #renew(): Promise<number | null> {
    return this.#inBand.refresh(await this.#tokens.renew());
  }

  async #follow(ask: () => Promise<number | null>, connection: number): Promise<void> {
    let waitMs: number | undefined;
    try {
      const ms = await ask();
      this.#failures = 0;
      waitMs = ms === null ? undefined : ms * (EARLIEST + (LATEST - EARLIEST) * Math.random());
    } catch {
      // No token was to be had, or the connection was lost. Meanwhile the old token serves, until the server ends it.
      this.#failures += 1;
      waitMs = Math.random() * Math.min(MIN_WAIT_MS * 2 ** this.#failures, MAX_RETRY_MS);
    }
    if (waitMs === undefined || connection !== this.#connection) return;
    const inMs = Math.min(Math.max(waitMs, MIN_WAIT_MS), MAX_WAIT_MS);
    this.#timer = setTimeout(() => void this.#follow(() => this.#renew(), connection), inMs);
  }
}
