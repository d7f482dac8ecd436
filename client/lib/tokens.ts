/** The token of a client: got when it is first needed, shared by all of its calls and connections, and replaced in time. */

/**
 * - `connect`: the client has no token yet;
 * - `expiring`: its token ends soon. Until a newer one is there, it uses the old one;
 * - `expired`: the server has refused its token: it has expired, or it was revoked.
 */
export type TokenReason = "connect" | "expiring" | "expired";

/**
 * Returns a valid token. Called for one token at a time; if it rejects, or takes longer than `MAX_GETTING_MS`, the client asks
 * again later.
 */
export type GetToken = (request: { reason: TokenReason }) => string | Promise<string>;

/** A request that hangs must not keep the client from asking again. */
export const MAX_GETTING_MS = 30_000;

export class Tokens {
  readonly #getToken: GetToken;
  #current: string | undefined;
  /** `undefined` unless a token is being got. */
  #getting: Promise<string> | undefined;
  #hasExpired = false;

  constructor(getToken: GetToken) {
    this.#getToken = getToken;
  }

  /** Rejects as `GetToken` does. */
  async get(): Promise<string> {
    return this.#current ?? this.#get(this.#hasExpired ? "expired" : "connect");
  }

  /** Resolves to a newer token than the current one. */
  renew(): Promise<string> {
    return this.#get(this.#hasExpired ? "expired" : "expiring");
  }

  /** The server has refused this token as expired. Has no effect if it is not the current one. */
  expire(token: string | undefined): void {
    if (token === undefined || token !== this.#current) return;
    this.#current = undefined;
    this.#hasExpired = true;
  }

  #get(reason: TokenReason): Promise<string> {
    return (this.#getting ??= this.#ask(reason).finally(() => (this.#getting = undefined)));
  }

  async #ask(reason: TokenReason): Promise<string> {
    const token = await withinTime(async () => this.#getToken({ reason }));
    this.#current = token;
    this.#hasExpired = false;
    return token;
  }
}

/** Rejects where the program's function gives no token: what it gives instead would be sent as one. */
async function withinTime(getToken: () => Promise<unknown>): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const text = `getToken gave no token for ${MAX_GETTING_MS / 1000} s.`;
    timer = setTimeout(() => reject(new Error(text)), MAX_GETTING_MS);
  });
  try {
    const token = await Promise.race([getToken(), late]);
    if (typeof token === "string" && token !== "") return token;
    const given = token === "" ? "an empty text" : token === null ? "null" : typeof token;
    throw new TypeError(`getToken gave ${given} and no token. Let it reject where there is none.`);
  } finally {
    clearTimeout(timer);
  }
}
