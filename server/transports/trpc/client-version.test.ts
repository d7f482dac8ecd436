/** Clients of other versions, on every way in. */
import {
  createTRPCClient,
  createWSClient,
  httpLink,
  httpSubscriptionLink,
  splitLink,
  TRPCClientError,
  wsLink,
} from "@trpc/client";
import { EventSource } from "eventsource";
import superjson from "superjson";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openTestServer, type TestServer } from "#test/transports/trpc.fixture.ts";
import type { AppRouter } from "./router.ts";

let server: TestServer;
beforeEach(async () => {
  server = await openTestServer();
});

type Way = "HTTP" | "WebSocket" | "SSE";

/** The stock client with this in its address. */
function clientWith(query: string, way: Way) {
  const url = `${server.url}/trpc${query}`;
  if (way === "WebSocket") {
    const socket = createWSClient({ url: url.replace("http", "ws") });
    onTestFinished(() => socket.close());
    return createTRPCClient<AppRouter>({
      links: [wsLink({ client: socket, transformer: superjson })],
    });
  }
  return createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: httpSubscriptionLink({ url, transformer: superjson, EventSource }),
        false: httpLink({ url, transformer: superjson }),
      }),
    ],
  });
}

/** Resolves to the code and the message of the refusal, or to `undefined` if the server serves. */
async function refusalOf(query: string, way: Way) {
  const trpc = clientWith(query, way);
  const answered =
    way === "HTTP"
      ? trpc.job.list.query()
      : new Promise((resolve, reject) => {
          const subscription = trpc.system.onState.subscribe(undefined, {
            onData: resolve,
            onError: reject,
          });
          onTestFinished(() => subscription.unsubscribe());
        });
  const error = await answered.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return undefined;
  if (!(error instanceof TRPCClientError)) throw error;
  const { data, message } = error as TRPCClientError<AppRouter>;
  return { code: data?.appCode, status: data?.httpStatus, message };
}

describe.each(["HTTP", "WebSocket", "SSE"] as const)("over %s", (way) => {
  test("[C1] a client of another minor version is served, and one of another major version is told both versions", async () => {
    for (const version of ["0.1.0", "0.0.9", "0.99.3", "0.2.0-beta.1"]) {
      expect(await refusalOf(`?clientVersion=${version}`, way)).toBeUndefined();
    }
    for (const version of ["1.0.0", "12.3.4-rc.1"]) {
      expect(await refusalOf(`?clientVersion=${version}`, way)).toEqual({
        code: "INCOMPATIBLE_CLIENT",
        status: 412,
        message:
          `This client has version ${version} and the server 0.1.0; they work together only if their major versions are ` +
          "the same. Use @jobwire/client 0.x, or reload the page if the server was updated.",
      });
    }
  });

  test.each([
    ["nothing", ""],
    ["an empty text", "?clientVersion="],
    ["a word", "?clientVersion=latest"],
    ["half a version", "?clientVersion=9"],
    ["a very long version", `?clientVersion=9.0.0-${"a".repeat(10_000)}`],
    ["a huge number", `?clientVersion=${"9".repeat(400)}.0.0`],
    ["a list", "?clientVersion[]=9.0.0"],
    ["a script", "?clientVersion=9.0.0%3Cscript%3E"],
    ["another name", "?myclientVersion=9.0.0"],
  ])("a client that sends %s as its version is served", async (_what, query) => {
    expect(await refusalOf(query, way)).toBeUndefined();
  });
});

test("[C1] a refused client may not call what is open to everyone", async () => {
  const trpc = clientWith("?clientVersion=9.0.0", "WebSocket");
  await expect(trpc.auth.refresh.mutate({ token: "t" })).rejects.toThrow(
    "This client has version 9.0.0",
  );
});
