import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TokenRefresh } from "./token-refresh.ts";
import { MAX_GETTING_MS, Tokens } from "./tokens.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MINUTES = 60_000;

/** A connection whose tokens live for `lifeMs`, and what it was sent. */
function connection(lifeMs: number | null, getToken: () => string | Promise<string> = () => "new") {
  const sent: string[] = [];
  const reasons: string[] = [];
  const tokens = new Tokens(({ reason }) => {
    reasons.push(reason);
    return getToken();
  });
  const refresh = new TokenRefresh(tokens, {
    msLeft: async () => lifeMs,
    async refresh(token) {
      sent.push(token);
      return lifeMs;
    },
  });
  return { tokens, refresh, sent, reasons };
}

test("[P6] 2,000 clients whose tokens end in the same second do not refresh together", async () => {
  const at: number[] = [];
  const start = Date.now();
  for (let n = 0; n < 2000; n++) {
    const { refresh } = connection(15 * MINUTES, () => {
      at.push(Date.now() - start);
      // One refresh of each is enough.
      refresh.close();
      return "new";
    });
    refresh.connected();
  }
  await vi.advanceTimersByTimeAsync(15 * MINUTES);
  expect(at).toHaveLength(2000);
  expect(Math.max(...at)).toBeLessThan(14 * MINUTES);
  const perSecond = Map.groupBy(at, (ms) => Math.floor(ms / 1000));
  // About eleven on the average.
  expect(Math.max(...[...perSecond.values()].map(({ length }) => length))).toBeLessThan(40);
});

test("[P6] a token is replaced before it ends, and so is each that follows", async () => {
  const { refresh, sent, reasons } = connection(10 * MINUTES);
  refresh.connected();
  await vi.advanceTimersByTimeAsync(9 * MINUTES);
  expect(sent).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(90 * MINUTES);
  expect(sent.length).toBeGreaterThan(9);
  expect(new Set(reasons)).toEqual(new Set(["expiring"]));
  refresh.close();
  expect(vi.getTimerCount()).toBe(0);
});

test("a token that does not end is not replaced, nor is one that ends in a year before its time", async () => {
  const endless = connection(null);
  endless.refresh.connected();
  await vi.advanceTimersByTimeAsync(0);
  expect(vi.getTimerCount()).toBe(0);
  const long = connection(365 * 24 * 60 * MINUTES);
  long.refresh.connected();
  await vi.advanceTimersByTimeAsync(20 * 24 * 60 * MINUTES);
  expect(long.sent).toEqual([]);
  long.refresh.close();
});

test("while no token is to be had, the client asks again, ever more rarely", async () => {
  let asked = 0;
  const { refresh, sent } = connection(10 * MINUTES, () => {
    asked += 1;
    return asked < 5 ? Promise.reject(new Error("offline")) : "new";
  });
  refresh.now();
  await vi.advanceTimersByTimeAsync(2 * MINUTES);
  expect(asked).toBe(5);
  expect(sent).toEqual(["new"]);
  refresh.close();
});

test("tokens that end at once do not keep the client busy", async () => {
  const { refresh, sent } = connection(0);
  refresh.now();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sent.length).toBeLessThanOrEqual(21);
  refresh.close();
});

test.each([undefined, null, "", 5])(
  "%j is no token: it is not sent, and the client asks again",
  async (given) => {
    let token: unknown = given;
    const tokens = new Tokens(() => token as string);
    await expect(tokens.get()).rejects.toThrow(/^getToken gave .+ and no token\./);
    token = "better";
    expect(await tokens.get()).toBe("better");
  },
);

test("a request for a token that hangs is given up, and what it gives later is not used", async () => {
  const first = Promise.withResolvers<string>();
  const answers = [first.promise, Promise.resolve("newer")];
  const tokens = new Tokens(() => answers.shift() ?? "too many");
  const refusal = tokens.get().catch(String);
  await vi.advanceTimersByTimeAsync(MAX_GETTING_MS);
  expect(await refusal).toBe("Error: getToken gave no token for 30 s.");
  expect(await tokens.get()).toBe("newer");
  first.resolve("old");
  await vi.advanceTimersByTimeAsync(0);
  expect(await tokens.get()).toBe("newer");
});

test("[P6] calls share one request for a token, and use the old one while a newer is on its way", async () => {
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<string>();
  const answers = [first, second];
  const reasons: string[] = [];
  const tokens = new Tokens(({ reason }) => {
    reasons.push(reason);
    return answers.shift()?.promise ?? "third";
  });
  const calls = [tokens.get(), tokens.get(), tokens.renew()];
  first.resolve("first");
  expect(await Promise.all(calls)).toEqual(["first", "first", "first"]);
  const renewed = tokens.renew();
  expect(await tokens.get()).toBe("first");
  second.resolve("second");
  expect(await renewed).toBe("second");
  // A late refusal of the first says nothing about the second.
  tokens.expire("first");
  expect(await tokens.get()).toBe("second");
  tokens.expire("second");
  expect(await tokens.get()).toBe("third");
  expect(reasons).toEqual(["connect", "expiring", "expired"]);
});
