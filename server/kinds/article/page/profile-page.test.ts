import { expect, test } from "vitest";
import { Failure, Transient } from "#server/kinds/define.ts";
import { openLocalServer } from "#test/article/local-server.fixture.ts";
import { SLOW_PAGE } from "#test/article/slow-page.ts";
import { createRunTask, type RunTask } from "#server/kinds/article/threads/run-task.ts";
import { resolveWithSystem } from "./resolve.ts";
import { FETCH_LIMITS } from "./fetch-limits.ts";
import { profilePublisher, profileTarget } from "./profile-page.ts";
import { createSemaphore } from "./semaphore.ts";

// Threads are slow to start on a busy machine.

const never = new AbortController().signal;
const options = {
  allow: () => true,
  resolve: resolveWithSystem,
  limits: FETCH_LIMITS,
  runTask: createRunTask(),
  semaphore: createSemaphore(2),
  now: () => performance.now(),
};
const GARDEN = "<title>Garden</title><p>Lettuce grows in the shade.</p>";

test("a publisher without https is fetched over http", async () => {
  await using site = await openLocalServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end(GARDEN);
  });
  const { profile } = await profilePublisher(`${site.host}/magazine`, never, options);
  expect(profile.url).toBe(`${site.origin}/magazine`);
});

test("a publisher that answers over neither https nor http fails with its name and the reason", async () => {
  const site = await openLocalServer(() => {});
  await site[Symbol.asyncDispose]();
  const error: unknown = await profilePublisher(site.host, never, options).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Failure);
  expect(error).not.toBeInstanceOf(Transient);
  expect(error).toMatchObject({
    code: "PAGE_UNREACHABLE",
    message: `The publisher page ${site.host} cannot be reached: the connection was refused`,
  });
});

test("a publisher whose private address was refused over https is not tried over http", async () => {
  const guarded = { ...options, allow: () => false };
  await expect(profilePublisher("127.0.0.1", never, guarded)).rejects.toMatchObject({
    code: "PAGE_PRIVATE_ADDRESS",
    message: expect.stringContaining("The publisher page 127.0.0.1 is not on the public internet"),
  });
});

test.each([
  [404, {}, Failure, undefined],
  [503, {}, Failure, undefined],
  [429, { "retry-after": "7" }, Transient, 7000],
  [503, { "retry-after": "60" }, Transient, 60_000],
  // The other machine's clock is years behind.
  [
    503,
    { "retry-after": "Sun, 01 Mar 2020 12:00:07 GMT", date: "Sun, 01 Mar 2020 12:00:00 GMT" },
    Transient,
    7000,
  ],
  [503, { "retry-after": "86400" }, Failure, undefined],
] as const)(
  "a target that answers %i with %j ends as %o",
  async (status, headers, kind, retryAfterMs) => {
    await using site = await openLocalServer((_, response) => {
      response.writeHead(status, headers).end();
    });
    const error: unknown = await profileTarget(site.origin, never, options).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({
      code: "PAGE_STATUS",
      message: expect.stringMatching(
        new RegExp(`^The target page ${site.origin} answered with status ${status}`),
      ),
    });
    expect(error instanceof Transient ? error.retryAfterMs : undefined).toBe(retryAfterMs);
  },
);

test("a cancelled profile ends with the reason of the cancel", async () => {
  const reason = new Error("cancelled");
  await expect(
    profileTarget("http://site.example/", AbortSignal.abort(reason), options),
  ).rejects.toBe(reason);
});

/** Options with a clock that `pass` advances, and that record the time limits of reading. */
function clocked() {
  let nowMs = 0;
  const granted: (number | undefined)[] = [];
  const runTask: RunTask = (name, input, signal, mostMs) => {
    granted.push(mostMs);
    return options.runTask(name, input, signal, mostMs);
  };
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { options: { ...options, runTask, now: () => nowMs }, pass, granted };
}

test("[A2] https, http, redirects and reading share one time limit", async () => {
  const { options: timed, pass, granted } = clocked();
  await using site = await openLocalServer((request, response) => {
    pass(1000);
    if (request.url === "/") response.writeHead(302, { location: "/next" }).end();
    else response.writeHead(200, { "content-type": "text/html" }).end(GARDEN);
  });
  let lookups = 0;
  await profilePublisher(site.host.replace("localhost", "site.example"), never, {
    ...timed,
    resolve: (_, done) => {
      lookups += 1;
      if (lookups === 1) pass(4000);
      done(null, [{ address: "127.0.0.1", family: 4 }]);
    },
  });
  expect(granted).toEqual([4000]);
});

test("[A2] the time limit of a page starts when the semaphore admits it", async () => {
  const { options: timed, pass, granted } = clocked();
  await using site = await openLocalServer((_, response) => {
    pass(500);
    response.writeHead(200, { "content-type": "text/html" }).end(GARDEN);
  });
  const first = Promise.withResolvers<void>();
  const semaphore = createSemaphore(1);
  const before = semaphore(never, () => first.promise);
  const waiting = profileTarget(site.origin, never, { ...timed, semaphore });
  pass(60_000);
  first.resolve();
  await Promise.all([before, waiting]);
  expect(granted).toEqual([9500]);
});

test.each([
  [
    9700,
    "PAGE_TIMEOUT",
    "took 9.7 s to arrive, and could not be read in what was left of its 10 s",
  ],
  [200, "PAGE_TOO_COMPLEX", "is too complex to be read: it takes more than 0.3 s"],
])(
  "[A2] a page that arrives after %i ms and is not read in time fails with %s",
  async (ms, code, why) => {
    const { options: timed, pass } = clocked();
    await using site = await openLocalServer((_, response) => {
      pass(ms);
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(SLOW_PAGE);
    });
    const runTask = createRunTask({ processorMs: 300, waitFactor: 1000 });
    const profiling = profileTarget(site.origin, never, { ...timed, runTask });
    await expect(profiling).rejects.toMatchObject({
      code,
      message: `The target page ${site.origin} ${why}`,
    });
  },
);
