import { createTRPCClient, httpLink } from "@trpc/client";
import { pino } from "pino";
import superjson from "superjson";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { type App, createApp } from "./app.ts";
import { application } from "./application.ts";
import { ConfigError, loadConfig } from "./config.ts";

let data: TestData;
let serverUrl: PromiseWithResolvers<string>;

beforeEach(async () => {
  data = await newTestData();
  serverUrl = Promise.withResolvers();
});
afterEach(() => data.remove());

async function start(env: Record<string, string> = {}): Promise<App> {
  const settings = loadConfig({ PORT: "0", ...data.env, ...env }, application.variables);
  const parts = application.parts(settings, serverUrl.promise);
  const app = await createApp(settings, { log: pino({ level: "silent" }), ...parts });
  onTestFinished(async () => void (await app.close()));
  return app;
}

const clientOf = ({ url }: App) =>
  createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${url}/trpc`, transformer: superjson })],
  });

test("it offers articles, and the input lists the writers that this server can write with", async () => {
  const client = clientOf(await start({ GOOGLE_API_KEY: "g" }));
  expect(await client.kind.list.query()).toMatchObject([
    {
      name: "article",
      input: { properties: { llmProvider: { enum: ["auto", "google", "offline"] } } },
    },
  ]);
  const input = {
    publisherDomain: "example.com",
    targetUrl: "https://example.com/",
    anchorText: "it",
    llmProvider: "openai",
  };
  await expect(client.job.create.mutate({ kind: "article", input })).rejects.toMatchObject({
    data: {
      code: "BAD_REQUEST",
      zodError: {
        fieldErrors: { "input.llmProvider": [expect.stringContaining("set OPENAI_API_KEY")] },
      },
    },
  });
  expect((await client.job.list.query({})).items).toEqual([]);
});

test("an article is made of the server's own sample pages, and a job waits for the server's address", async () => {
  const app = await start({ OFFLINE_PACE_MS: "0" });
  expect((await fetch(`${app.url}/samples/publisher/`)).status).toBe(200);
  const client = clientOf(app);
  const { host } = new URL(app.url);
  const { id: jobId } = await client.job.create.mutate({
    kind: "article",
    input: {
      publisherDomain: `${host}/samples/publisher/`,
      targetUrl: `${app.url}/samples/target/`,
      anchorText: "a household budget",
    },
  });
  const job = () => client.job.get.query({ jobId });
  await vi.waitFor(async () => expect(await job()).toMatchObject({ status: "PROCESSING" }));
  serverUrl.resolve(app.url);
  await vi.waitFor(async () =>
    expect(await job()).toMatchObject({ status: expect.stringMatching(/DELIVERED|BLOCKED/) }),
  );
});

test("with FETCH_ALLOW, the server's own samples are not among the private pages that it fetches", async () => {
  const app = await start({ FETCH_ALLOW: "intranet" });
  serverUrl.resolve(app.url);
  const client = clientOf(app);
  const { id: jobId } = await client.job.create.mutate({
    kind: "article",
    input: {
      publisherDomain: `${new URL(app.url).host}/samples/publisher/`,
      targetUrl: `${app.url}/samples/target/`,
      anchorText: "it",
    },
  });
  await vi.waitFor(async () =>
    expect(await client.job.get.query({ jobId })).toMatchObject({
      status: "ABORTED",
      error: { message: expect.stringContaining("FETCH_ALLOW") },
    }),
  );
});

test("its variables are checked with those of Jobwire", () => {
  const env = { PORT: "x", OFFLINE_PACE_MS: "x", OPENAI_APIKEY: "x" };
  expect(() => loadConfig(env, application.variables)).toThrow(ConfigError);
  expect(() => loadConfig(env, application.variables)).toThrow(
    /PORT="x" .*\n.*OFFLINE_PACE_MS="x" .*\n.*OPENAI_APIKEY is unknown; did you mean OPENAI_API_KEY\?/,
  );
});
