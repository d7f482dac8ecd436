/** Calls that are refused before tRPC sees them: tRPC's clients read the answers as they read its own. */
import { once } from "node:events";
import {
  createTRPCClient,
  httpBatchLink,
  httpBatchStreamLink,
  httpLink,
  TRPCClientError,
} from "@trpc/client";
import superjson from "superjson";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import type { AppRouter } from "./router.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";

let data: TestData | undefined;
afterEach(async () => {
  await data?.remove();
  data = undefined;
});

/** The headers of a user that has no call left. */
async function startBeyondLimit() {
  data = await newTestData();
  const app = await startAppWithTokens(data, { env: { LIMIT_USER_CALLS: "8" } });
  onTestFinished(() => void app.close());
  const headers = { authorization: `Bearer ${await tokenFor("ann")}` };
  const url = `${app.url}/trpc`;
  for (let n = 0; n < 80; n += 1) expect(await statusOf(`${url}/system.info`, headers)).toBe(200);
  expect(await statusOf(`${url}/system.info`, headers)).toBe(429);
  return { url, headers };
}

async function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  const response = await fetch(url, { headers });
  await response.text();
  return response.status;
}

const LIMITED = {
  code: "TOO_MANY_REQUESTS",
  appCode: "RATE_LIMITED",
  httpStatus: 429,
  retryAfterMs: expect.any(Number) as number,
};

describe("[R1] each link of the stock client reads the refusal", () => {
  const links = { httpLink, httpBatchLink, httpBatchStreamLink };
  test.for(["httpLink", "httpBatchLink", "httpBatchStreamLink"] as const)("%s", async (name) => {
    const options = { ...(await startBeyondLimit()), transformer: superjson };
    const client = createTRPCClient<AppRouter>({ links: [links[name](options)] });
    const calls = await Promise.allSettled([
      client.system.info.query(),
      client.job.list.query(),
      client.job.create.mutate({ kind: "none", input: "x".repeat(100_000) }),
      client.job.cancel.mutate({ jobId: "none" }),
    ]);
    for (const call of calls) {
      const error = call.status === "rejected" ? (call.reason as unknown) : undefined;
      expect(error).toBeInstanceOf(TRPCClientError);
      expect(error).toMatchObject({
        data: LIMITED,
        message: expect.stringContaining("Try again in") as string,
      });
    }
  });
});

test("[R1] a call that is known to be refused is not looked at", async () => {
  const { url, headers } = await startBeyondLimit();
  expect(await statusOf(`${url}/no.such.procedure`, headers)).toBe(429);
  const broken = { method: "POST", headers, body: "no JSON" };
  expect((await fetch(`${url}/job.create`, broken)).status).toBe(429);
  // Other users get their own answers.
  const bob = { authorization: `Bearer ${await tokenFor("bob")}` };
  expect(await statusOf(`${url}/no.such.procedure`, bob)).toBe(404);
  expect((await fetch(`${url}/job.create`, { ...broken, headers: bob })).status).toBe(415);
});

test("[R1] a connection is of use after a refusal whose body was not read", async () => {
  const { url, headers } = await startBeyondLimit();
  const post = () =>
    fetch(`${url}/job.create`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ json: { kind: "none", input: "x".repeat(300_000) } }),
    });
  for (let n = 0; n < 5; n += 1) {
    const response = await post();
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await response.text()).toContain("RATE_LIMITED");
  }
});

test("[R1] an event stream begins, and ends with the refusal", async () => {
  const { url, headers } = await startBeyondLimit();
  const response = await fetch(`${url}/feed.onUpdate`, { headers });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  expect(await response.text()).toContain("RATE_LIMITED");
});

const refusedWith = (data: object) => ({ id: 1, error: { json: { data } } });

test.each(["query", "mutation", "subscription"])(
  "[R1] a %s over a WebSocket that is known to be refused is not looked at",
  async (method) => {
    const { url, headers } = await startBeyondLimit();
    const ask = async (by: Record<string, string>) => {
      const socket = new WebSocket(url.replace("http", "ws"), { headers: by });
      onTestFinished(() => socket.terminate());
      await once(socket, "open");
      socket.send(JSON.stringify({ id: 1, method, params: { path: "no.such.procedure" } }));
      const [answer] = (await once(socket, "message")) as [Buffer];
      return JSON.parse(answer.toString()) as unknown;
    };
    expect(await ask(headers)).toMatchObject(refusedWith(LIMITED));
    // Other users get their own answers.
    const bob = { authorization: `Bearer ${await tokenFor("bob")}` };
    expect(await ask(bob)).toMatchObject(refusedWith({ code: "NOT_FOUND" }));
  },
);
