/** Lists and feeds of others' jobs, on a server that takes tokens. */
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { EventSource } from "eventsource";
import { z } from "zod";
import { createJobwireClient, failureOf, type JobwireClient } from "#client/lib/client.ts";
import type { App } from "#server/app.ts";
import { defineKind, delivered } from "#server/kinds/define.ts";
import type { OwnersAsked } from "#shared/owners-asked.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { type Claims, startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";

const LEAD = { scope: [...PERSON_SCOPES, "tenant"].join(" ") };
const EVERYONE = { allOwners: true };

const named = defineKind({
  name: "named",
  description: "Does nothing.",
  input: z.object({ name: z.string() }),
  output: z.unknown(),
  title: ({ name }) => name,
  start: { progress: 0, message: "Started" },
  run: async () => delivered("Done", null),
});

let data: TestData;
let app: App;

beforeEach(async () => {
  vi.stubGlobal("EventSource", EventSource);
  data = await newTestData();
  app = await startAppWithTokens(data, { kinds: [named] });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await app.close();
  await data.remove();
});

function open(user: string, claims: Claims = {}, transport: "ws" | "sse" = "ws"): JobwireClient {
  const client = createJobwireClient({
    url: app.url,
    transport,
    getToken: () => tokenFor(user, claims),
  });
  onTestFinished(() => client.close());
  return client;
}

const create = ({ trpc }: JobwireClient, name: string) =>
  trpc.job.create.mutate({ kind: "named", input: { name } });

const titlesOf = async ({ trpc }: JobwireClient, asked: OwnersAsked = {}) =>
  (await trpc.job.list.query(asked)).items.map(({ title }) => title);

const batchesOf = async ({ trpc }: JobwireClient, asked: OwnersAsked = {}) =>
  (await trpc.batch.list.query(asked)).items.map(({ name, owner }) => `${owner}: ${name}`);

/** The titles of delivered jobs that the feed shows. */
function watchFeed({ trpc }: JobwireClient, asked: OwnersAsked) {
  const titles = new Set<string>();
  let error: string | undefined;
  const subscription = trpc.feed.onUpdate.subscribe(asked, {
    onData({ data: { job } }) {
      if (job?.status === "DELIVERED") titles.add(job.title);
    },
    onError: (thrown) => (error = failureOf(thrown).code),
  });
  onTestFinished(() => subscription.unsubscribe());
  return { titles, error: () => error };
}

test("[P4] with `tenant`, lists hold the jobs and batches of all owners or of one, and none of another tenant", async () => {
  const [ann, bob, lead] = [open("ann"), open("bob"), open("lea", LEAD)];
  const stranger = open("ann", { ...LEAD, tenant: "other" });
  for (const [client, name] of [
    [ann, "a1"],
    [stranger, "s1"],
    [bob, "b1"],
    [ann, "a2"],
  ] as const) {
    await create(client, name);
    const jobs = [{ kind: "named", input: { name: `${name} in a batch` } }];
    await client.trpc.batch.create.mutate({ name, jobs });
  }
  const anns = ["a2 in a batch", "a2", "a1 in a batch", "a1"];
  const bobs = ["b1 in a batch", "b1"];
  const everyones = [...anns.slice(0, 2), ...bobs, ...anns.slice(2)];
  expect(await titlesOf(ann)).toEqual(anns);
  expect(await titlesOf(ann, { owner: "ann" })).toEqual(anns);
  expect(await titlesOf(lead)).toEqual([]);
  expect(await titlesOf(lead, EVERYONE)).toEqual(everyones);
  expect(await titlesOf(lead, { owner: "bob" })).toEqual(bobs);
  expect(await titlesOf(lead, { owner: "unknown" })).toEqual([]);
  expect(await batchesOf(lead, EVERYONE)).toEqual(["ann: a2", "bob: b1", "ann: a1"]);
  expect(await batchesOf(lead, { owner: "bob" })).toEqual(["bob: b1"]);
  expect(await batchesOf(lead)).toEqual([]);
  expect(await titlesOf(stranger, EVERYONE)).toEqual(["s1 in a batch", "s1"]);
  expect(await titlesOf(stranger, { owner: "bob" })).toEqual([]);

  const [batch] = (await lead.trpc.batch.list.query({ owner: "bob" })).items;
  const inBatch = await lead.trpc.job.list.query({ batchId: batch?.id, ...EVERYONE });
  expect(inBatch.items.map(({ title }) => title)).toEqual(["b1 in a batch"]);
});

describe("[P3] without `tenant`", () => {
  test.each<OwnersAsked>([{ allOwners: true }, { owner: "bob" }])(
    "a list or feed of others (%o) is FORBIDDEN, also of an owner who has none",
    async (asked) => {
      for (const transport of ["ws", "sse"] as const) {
        const ann = open("ann", {}, transport);
        const refused = { message: expect.stringContaining("scope tenant") as string };
        await expect(ann.trpc.job.list.query(asked)).rejects.toMatchObject(refused);
        await expect(ann.trpc.batch.list.query(asked)).rejects.toMatchObject(refused);
        const feed = watchFeed(ann, asked);
        await vi.waitFor(() => expect(feed.error()).toBe("FORBIDDEN"));
      }
    },
  );

  test("and without `jobs:read`, `tenant` alone shows nothing", async () => {
    const lead = open("lea", { scope: "tenant" });
    await expect(titlesOf(lead, EVERYONE)).rejects.toThrow("jobs:read");
  });
});

test("a list of one owner and of all at the same time is BAD_REQUEST", async () => {
  const lead = open("lea", LEAD);
  const both = { owner: "bob", ...EVERYONE };
  await expect(titlesOf(lead, both)).rejects.toThrow("Send either owner or allOwners.");
  await expect(batchesOf(lead, both)).rejects.toThrow("Send either owner or allOwners.");
  const feed = watchFeed(lead, both);
  await vi.waitFor(() => expect(feed.error()).toBe("BAD_REQUEST"));
});

test.each(["ws", "sse"] as const)(
  "[P4] over %s, the feed of a tenant shows each change of its jobs, and that of an owner only theirs",
  async (transport) => {
    const [ann, bob, lead] = [open("ann"), open("bob"), open("lea", LEAD, transport)];
    const stranger = open("ann", { ...LEAD, tenant: "other" }, transport);
    await create(ann, "before");
    const feeds = {
      everyone: watchFeed(lead, EVERYONE),
      bob: watchFeed(lead, { owner: "bob" }),
      own: watchFeed(lead, {}),
      stranger: watchFeed(stranger, EVERYONE),
    };
    await create(ann, "a");
    await create(bob, "b");
    await create(stranger, "s");
    await vi.waitFor(() => {
      expect(feeds.everyone.titles).toEqual(new Set(["before", "a", "b"]));
      expect(feeds.bob.titles).toEqual(new Set(["b"]));
      expect(feeds.stranger.titles).toEqual(new Set(["s"]));
    });
    expect(feeds.own.titles).toEqual(new Set());

    // A list says from where its feed goes on.
    const { feed } = await lead.trpc.job.list.query(EVERYONE);
    await create(bob, "later");
    const seen: string[] = [];
    const subscription = lead.trpc.feed.onUpdate.subscribe(
      { ...EVERYONE, lastEventId: String(feed) },
      { onData: ({ data: { job } }) => void seen.push(job?.title ?? "") },
    );
    onTestFinished(() => subscription.unsubscribe());
    await vi.waitFor(() => expect(seen).toContain("later"));
    expect(new Set(seen)).toEqual(new Set(["later"]));
  },
);
