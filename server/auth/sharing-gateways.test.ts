/** Stream tokens and links of one gateway, while connections to another rely on them. */
import { createTRPCClient, httpLink } from "@trpc/client";
import superjson from "superjson";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import type { App } from "#server/app.ts";
import type { Config } from "#server/config.ts";
import { withManagement } from "#server/command/reach-data.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { waits } from "#test/jobs/waits.ts";
import { openGateways, openGatewaysWithoutLooks } from "#test/redis/gateways.fixture.ts";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";
import { ALL_CLOSED, ALL_OPEN, openAll } from "#test/transports/lasting-connections.fixture.ts";
import { tokenFor } from "#test/transports/signed-in.fixture.ts";

let redis: TestRedis;
let config: Config;
let here: App;
let there: App;
let jobId: string;

beforeAll(async () => {
  redis = await startRedis(inject("redisServer"));
});
afterAll(() => redis.close());
beforeEach(() => open(openGatewaysWithoutLooks));

async function open(openBoth: typeof openGateways): Promise<void> {
  ({ config, here, there } = await openBoth(redis, [waits]));
  jobId = (await (await annAt(here)).job.create.mutate({ kind: "waits", input: {} })).id;
}

function clientAt({ url }: App, token: string) {
  const headers = { authorization: `Bearer ${token}` };
  return createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${url}/trpc`, transformer: superjson, headers })],
  });
}
const annAt = async (app: App) =>
  clientAt(app, await tokenFor("ann", { jti: "t", iat: Math.floor(Date.now() / 1000) - 10 }));
const watchJob = (app: App, token: string) =>
  openAll(app.url, { token }, { path: "job.onUpdate", input: { jobId } });

test("[P20] gateways that sign for the first time at once accept each other's tokens", async () => {
  const [ann, bob] = [await annAt(here), await annAt(there)];
  const [one, two] = await Promise.all([
    ann.job.share.mutate({ jobId }),
    bob.job.share.mutate({ jobId }),
  ]);
  expect(await clientAt(there, one.token).job.get.query({ jobId })).toMatchObject({ id: jobId });
  expect(await clientAt(here, two.token).job.get.query({ jobId })).toMatchObject({ id: jobId });
});

test("[P22] a link that is switched off at one gateway ends its viewers at another, and no others", async () => {
  const ann = await annAt(here);
  const { token, linkId } = await ann.job.share.mutate({ jobId, link: true });
  const kept = await ann.job.share.mutate({ jobId, link: true });
  const viewers = await watchJob(there, token);
  const others = await watchJob(there, kept.token);
  expect(viewers()).toEqual(ALL_OPEN);
  expect(await ann.job.unshare.mutate({ jobId, linkId: linkId ?? "" })).toBe(1);
  await eventually(() => expect(viewers()).toEqual(ALL_CLOSED));
  expect(others()).toEqual(ALL_OPEN);
  await expect(clientAt(there, token).job.get.query({ jobId })).rejects.toMatchObject({
    data: { appCode: "UNAUTHENTICATED" },
  });
});

test("[P22] a link that is removed without a hint ends its viewers all the same", async () => {
  await open(openGateways);
  const { token } = await (await annAt(here)).job.share.mutate({ jobId, link: true });
  const viewers = await watchJob(there, token);
  await redis.client.del("jobwire:{:api-keys}:share-links:acme");
  await eventually(() => expect(viewers()).toEqual(ALL_CLOSED));
});

test("[P21] what a maker shared at one gateway ends at another with the maker's credential", async () => {
  const ann = await annAt(here);
  const { token } = await ann.job.share.mutate({ jobId });
  const { token: link } = await ann.job.share.mutate({ jobId, link: true });
  const viewers = [await watchJob(there, token), await watchJob(there, link)];
  const states = () => viewers.map((each) => each());
  expect(states()).toEqual([ALL_OPEN, ALL_OPEN]);
  await withManagement(
    config,
    () => new Date(),
    ({ revocations }) =>
      revocations.revoke("acme", { tokenId: "t", expiresAt: null }, COMMAND_ACTOR),
  );
  await eventually(() => expect(states()).toEqual([ALL_CLOSED, ALL_CLOSED]));
});

test("[P23] a ticket that another gateway opens again ends the connection to the first", async () => {
  const { ticket } = await (
    await annAt(here)
  ).auth.ticket.mutate({ path: "job.onUpdate", input: { jobId } });
  const input = encodeURIComponent(JSON.stringify({ json: { jobId } }));
  const openAt = async ({ url }: App) => {
    const answer = await fetch(`${url}/trpc/job.onUpdate?input=${input}&ticket=${ticket}`);
    const reader = answer.body?.getReader();
    await reader?.read();
    let isClosed = false;
    const read = async (): Promise<void> => {
      const chunk = await reader?.read().catch(() => undefined);
      if (chunk === undefined || chunk.done) isClosed = true;
      else await read();
    };
    void read();
    return { isClosed: () => isClosed, leave: () => void reader?.cancel().catch(() => undefined) };
  };
  const first = await openAt(here);
  expect(first.isClosed()).toBe(false);
  const second = await openAt(there);
  await eventually(() => expect(first.isClosed()).toBe(true));
  expect(second.isClosed()).toBe(false);
  second.leave();
});

test("[P22] while Redis takes no writes, no link is made, and what is open stays open", async () => {
  const { token } = await (await annAt(here)).job.share.mutate({ jobId, link: true });
  const viewers = await watchJob(there, token);
  await redis.client.config("SET", "maxmemory", "1");
  try {
    await expect((await annAt(here)).job.share.mutate({ jobId, link: true })).rejects.toMatchObject(
      {
        data: { appCode: "UNAVAILABLE" },
      },
    );
    expect(viewers()).toEqual(ALL_OPEN);
  } finally {
    await redis.client.config("SET", "maxmemory", "0");
  }
});
