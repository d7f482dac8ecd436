import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AppError } from "#shared/errors.ts";
import { hostileValues } from "#test/hostile-values.ts";
import { LOCAL_PRINCIPAL as me } from "#shared/principal.ts";
import { guardAuthenticate } from "./authentication-guard.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const credentials = { headers: {} };
const NOT_CHECKED = "The server could not check your credentials. Try again.";

let logged: unknown[];
const log = { warn: (fields: unknown) => void logged.push(fields) };
beforeEach(() => {
  logged = [];
});

/** Returns the result that a caller of this hook receives. */
async function ask(hook: () => unknown): Promise<unknown> {
  return guardAuthenticate(hook as () => Promise<never>, { log })(credentials);
}

async function refusal(hook: () => unknown): Promise<Error> {
  const outcome = await ask(hook).then(
    () => "It was let in.",
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(Error);
  return outcome as Error;
}

test("a principal is passed on without additional fields, and no timer remains", async () => {
  const known = { principal: me, via: "authenticate" };
  expect(await ask(async () => ({ ...me, extra: 1 }))).toEqual(known);
  expect(await ask(() => me)).toEqual(known);
  expect(vi.getTimerCount()).toBe(0);
});

test("[P5] the end of credentials is passed on, and one that has passed refuses the caller", async () => {
  const expiresAt = Date.now() + 1000;
  expect(await ask(() => ({ ...me, expiresAt }))).toEqual({
    principal: me,
    expiresAt,
    via: "authenticate",
  });
  for (const past of [Date.now(), 0, -1]) {
    const hook = () => ({ ...me, expiresAt: past });
    expect(await refusal(hook)).toMatchObject({ code: "TOKEN_EXPIRED" });
  }
});

test.each(Object.entries(hostileValues()))(
  "[H6] a hook that throws %s, synchronously or not, gives UNAVAILABLE, and the log has the reason",
  async (_what, thrown) => {
    for (const hook of [
      () => {
        throw thrown;
      },
      () => Promise.reject(thrown),
      // oxlint-disable-next-line unicorn/no-thenable -- hooks may return thenables of other libraries
      () => ({ then: (_resolve: unknown, reject: (error: unknown) => void) => reject(thrown) }),
    ]) {
      logged = [];
      expect(await refusal(hook)).toMatchObject({ code: "UNAVAILABLE", message: NOT_CHECKED });
      expect(logged).toEqual([{ err: expect.any(Error) as Error, untold: 0 }]);
    }
    expect(vi.getTimerCount()).toBe(0);
  },
);

const AWAY = "connect ECONNREFUSED 10.0.0.7:5432 - password of jobwire";

test.each([
  ["an ordinary error", new Error(AWAY)],
  ["an error of the system", Object.assign(new Error(AWAY), { code: "ECONNREFUSED" })],
  ["UNAVAILABLE", new AppError("UNAVAILABLE", AWAY)],
  ["NOT_FOUND", new AppError("NOT_FOUND", AWAY)],
  ["INTERNAL", new AppError("INTERNAL", AWAY)],
  ["an error that only has the code", Object.assign(new Error(AWAY), { code: "UNAUTHENTICATED" })],
])(
  "[H13] for a hook that rejects with %s, clients learn only that they may try again",
  async (_, thrown) => {
    const error = await refusal(() => Promise.reject(thrown));
    expect(error).toMatchObject({ code: "UNAVAILABLE", message: NOT_CHECKED });
    expect(error.cause).toBeUndefined();
    expect(logged).toMatchObject([{ err: { message: AWAY } }]);
  },
);

test.each(["UNAUTHENTICATED", "TOKEN_EXPIRED", "FORBIDDEN"] as const)(
  "[H13] for a hook that rejects with %s, clients receive its message at a bounded length",
  async (code) => {
    const reject = (message: string) => refusal(() => Promise.reject(new AppError(code, message)));
    expect(await reject("The token is too old.")).toMatchObject({
      code,
      message: "The token is too old.",
    });
    expect((await reject("x".repeat(20_000))).message).toHaveLength(10_000);
    expect(logged).toEqual([]);
  },
);

test("[H6] a hook that does not answer gives UNAVAILABLE after 10 s, and a late answer is ignored", async () => {
  const gate = Promise.withResolvers<never>();
  const refused = refusal(() => gate.promise);
  await vi.advanceTimersByTimeAsync(9999);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await refused).toMatchObject({
    code: "UNAVAILABLE",
    message: NOT_CHECKED,
  });
  expect(logged).toMatchObject([{ err: { message: expect.stringContaining("10 s") as string } }]);
  expect(vi.getTimerCount()).toBe(0);
  gate.reject(Object.create(null));
  await vi.advanceTimersByTimeAsync(1);
});

/** A promise cannot resolve to a proxy whose traps throw: it rejects, as if the hook had thrown. */
const answers = Object.entries(hostileValues()).filter(([what]) => !what.includes("traps throw"));

test.each(
  Object.entries({
    ...Object.fromEntries(answers),
    "a principal without a tenant": { userId: "ann", scopes: [] },
    "a principal whose user is empty": { ...me, userId: "" },
    "a principal whose user is endless": { ...me, userId: "u".repeat(301) },
    "a principal whose user engines cannot tell from others": { ...me, userId: "\ud800" },
    "a principal with a getter that throws": Object.defineProperty({ ...me }, "tenantId", {
      get: () => {
        throw Object.create(null) as Error;
      },
    }),
  }),
)("an answer that is %s is a fault of the hook", async (_what, answer) => {
  const error = await refusal(() => answer);
  expect(error).toMatchObject({
    code: "INTERNAL",
    message: expect.stringMatching(/^The answer of `authenticate` is not a principal\. ./),
  });
});
