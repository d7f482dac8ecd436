/** The typed client against a real server that refuses it. */
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { App } from "#server/app.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { signIn, startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { createJobwireClient, failureOf } from "./client.ts";
import type { WaitForSignIn } from "./sign-in-link.ts";

let data: TestData;
let app: App;
beforeAll(async () => {
  data = await newTestData();
  app = await startAppWithTokens(data);
});
afterAll(async () => {
  await app.close();
  await data.remove();
});

/** `fetch` with the cookie, as on a page of the server. */
function useCookie(cookie: () => string) {
  const plain = globalThis.fetch;
  const sent = vi.fn<typeof fetch>((url, init) =>
    plain(url, {
      ...init,
      headers: [
        ...new Headers(init?.headers),
        ["cookie", cookie()],
        ["sec-fetch-site", "same-origin"],
      ],
    }),
  );
  vi.stubGlobal("fetch", sent);
  onTestFinished(() => void vi.unstubAllGlobals());
  return sent;
}

function open(waitForSignIn: WaitForSignIn) {
  const client = createJobwireClient({ url: app.url, waitForSignIn });
  onTestFinished(() => client.close());
  return client;
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "ok",
    (error: unknown) => failureOf(error).code,
  );

test("a refused call is held until the caller is signed in, and then repeated", async () => {
  let cookie = "";
  useCookie(() => cookie);
  const gate = Promise.withResolvers<boolean>();
  const wait = vi.fn<WaitForSignIn>(() => gate.promise);
  const { trpc } = open(wait);
  const call = codeOf(trpc.job.list.query({ limit: 1 }));
  await vi.waitFor(() => expect(wait).toHaveBeenCalledTimes(1));
  cookie = await signIn(app, await tokenFor("ann"));
  gate.resolve(true);
  expect(await call).toBe("ok");
});

test("it is repeated once, so that a server that refuses it again ends it", async () => {
  const sent = useCookie(() => "");
  const { trpc } = open(async () => true);
  expect(await codeOf(trpc.job.list.query({ limit: 1 }))).toBe("UNAUTHENTICATED");
  expect(sent).toHaveBeenCalledTimes(2);
});

test("where there is no way to sign in, a call and a subscription fail", async () => {
  const { trpc } = open(async () => false);
  expect(await codeOf(trpc.job.list.query({ limit: 1 }))).toBe("UNAUTHENTICATED");
  const failed = new Promise<unknown>((resolve) => {
    trpc.feed.onUpdate.subscribe({}, { onError: resolve });
  });
  expect(failureOf(await failed).code).toBe("UNAUTHENTICATED");
});

test("a subscription stays silent, and its watcher is asked to sign in once", async () => {
  const wait = vi.fn<WaitForSignIn>(async () => true);
  const { trpc } = open(wait);
  const onError = vi.fn<(error: unknown) => void>();
  const subscription = trpc.feed.onUpdate.subscribe({}, { onError });
  await vi.waitFor(() => expect(wait).toHaveBeenCalledTimes(1));
  // Answered on the same connection, after the refusal.
  await codeOf(trpc.job.list.query({ limit: 1 }));
  expect(onError).not.toHaveBeenCalled();
  subscription.unsubscribe();
});

test("any other failure passes", async () => {
  const cookie = await signIn(app, await tokenFor("ann", { scope: "" }));
  useCookie(() => cookie);
  const wait = vi.fn<WaitForSignIn>(async () => true);
  const { trpc } = open(wait);
  expect(await codeOf(trpc.job.list.query({ limit: 1 }))).toBe("FORBIDDEN");
  expect(wait).not.toHaveBeenCalled();
});
