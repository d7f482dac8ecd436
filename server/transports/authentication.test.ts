import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AppError } from "#shared/errors.ts";
import { hostileValues } from "#shared/test-hostile-values.ts";
import { LOCAL_PRINCIPAL as me } from "#shared/principal.ts";
import { createAuthentication } from "./authentication.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const credentials = { headers: {} };

/** The answer to a caller of a hook that does this. */
async function ask(hook: () => unknown): Promise<unknown> {
  return createAuthentication(hook as () => Promise<never>)(credentials);
}

async function refusal(hook: () => unknown): Promise<Error> {
  const outcome = await ask(hook).then(
    () => "It was let in.",
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(Error);
  return outcome as Error;
}

test("a principal is passed on without what else the answer has, and no timer stays", async () => {
  expect(await ask(async () => ({ ...me, extra: 1 }))).toEqual(me);
  expect(await ask(() => me)).toEqual(me);
  expect(vi.getTimerCount()).toBe(0);
});

test.each(Object.entries(hostileValues()))(
  "[H6] a hook that throws %s, at once or later, refuses with an error whose message is text",
  async (_what, thrown) => {
    for (const hook of [
      () => {
        throw thrown;
      },
      () => Promise.reject(thrown),
      // oxlint-disable-next-line unicorn/no-thenable -- what a hook of another library may return
      () => ({ then: (_resolve: unknown, reject: (error: unknown) => void) => reject(thrown) }),
    ]) {
      const error = await refusal(hook);
      expect(error).not.toBeInstanceOf(AppError);
      expect(error.message).toBeTypeOf("string");
      expect(error.message.length).toBeLessThanOrEqual(10_000);
    }
    expect(vi.getTimerCount()).toBe(0);
  },
);

test("the text of an ordinary error is kept: clients are shown it", async () => {
  expect((await refusal(() => Promise.reject(new Error("The token is too old.")))).message).toBe(
    "The token is too old.",
  );
});

test("an error of ours passes as it is", async () => {
  const error = new AppError("UNAVAILABLE", "The directory is away.");
  expect(await refusal(() => Promise.reject(error))).toBe(error);
});

test("[H6] a hook that does not answer is UNAVAILABLE after 10 s, and harms nothing when it does later", async () => {
  const gate = Promise.withResolvers<never>();
  const refused = refusal(() => gate.promise);
  await vi.advanceTimersByTimeAsync(9999);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await refused).toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("10 s"),
  });
  expect(vi.getTimerCount()).toBe(0);
  gate.reject(Object.create(null));
  await vi.advanceTimersByTimeAsync(1);
});

/** A promise cannot hold a proxy whose traps throw: it rejects, as if the hook had thrown. */
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
    message: expect.stringMatching(/^The answer of `authenticate` is no principal\. ./),
  });
});
