/** Stream tokens and share links, on whole servers and over all transports. */
import { createTRPCClient, httpLink } from "@trpc/client";
import { decodeJwt } from "jose";
import superjson from "superjson";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type App, createApp } from "#server/app.ts";
import { withManagement } from "#server/command/reach-data.ts";
import { loadConfig } from "#server/config.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { MAX_SHARE_LINK_SECONDS, MAX_STREAM_TOKEN_SECONDS } from "#shared/limits.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import { waits } from "#test/jobs/waits.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { ALL_CLOSED, ALL_OPEN, openAll } from "#test/transports/lasting-connections.fixture.ts";
import {
  type Claims,
  post,
  signIn,
  startAppWithTokens,
  tokenFor,
} from "#test/transports/signed-in.fixture.ts";
import type { AppRouter } from "./trpc/router.ts";

const WAITS = { kind: "waits", input: {} };

const authenticate = async () => ({ userId: "ann", tenantId: "acme", scopes: ["*"] });

let data: TestData;
let app: App;
let logged: string[];
let jobId: string;
let batchId: string;

beforeEach(async () => {
  data = await newTestData();
  logged = [];
  app = await startAppWithTokens(data, {
    kinds: [waits],
    env: { SHUTDOWN_GRACE_MS: "0" },
    logged,
  });
  const ann = clientWith(await tokenFor("ann"));
  jobId = (await ann.job.create.mutate(WAITS)).id;
  batchId = (await ann.batch.create.mutate({ jobs: [WAITS] })).id;
});
afterEach(async () => {
  await app.close();
  await data.remove();
});

function clientBy(headers: Record<string, string>) {
  const options = { url: `${app.url}/trpc`, transformer: superjson, headers };
  return createTRPCClient<AppRouter>({ links: [httpLink(options)] });
}
const clientWith = (token: string) => clientBy({ authorization: `Bearer ${token}` });
const before = () => Math.floor(Date.now() / 1000) - 10;
const annsToken = (claims: Claims = {}) => tokenFor("ann", { iat: before(), ...claims });

const manage = <T>(use: Parameters<typeof withManagement<T>>[2]): Promise<T> =>
  withManagement(loadConfig(data.env), () => new Date(), use);

async function makeKey(expiresAt: Date | null = null) {
  const scopes = [...PERSON_SCOPES];
  const request = { tenant: "acme", user: "ann", scopes, label: "", expiresAt };
  const { key, record } = await manage(({ apiKeys }) => apiKeys.create(request));
  return { key, id: record.id };
}

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "ok",
    (error: Error & { data?: { appCode: string } }) => error.data?.appCode ?? error.message,
  );

test("[P21] a stream token shows its job alone, for 15 minutes unless its maker says otherwise", async () => {
  const ann = clientWith(await tokenFor("ann"));
  const before_ = Date.now();
  const { token, expiresAt, linkId } = await ann.job.share.mutate({ jobId });
  expect(linkId).toBeNull();
  expect(expiresAt.getTime()).toBeGreaterThan(before_ + 14 * 60_000);
  expect(expiresAt.getTime()).toBeLessThanOrEqual(Date.now() + 15 * 60_000);
  expect(decodeJwt(token).exp).toBe(expiresAt.getTime() / 1000);
  const viewer = clientWith(token);
  expect(await viewer.job.get.query({ jobId })).toMatchObject({ id: jobId });
  const me = await viewer.auth.me.query();
  expect(me).toMatchObject({ tenantId: "acme", scopes: [`job:${jobId}:read`] });
  // Each token has a viewer of its own, so that limits of users do not count for the maker.
  expect(me.userId).not.toContain("ann");
  const again = clientWith((await ann.job.share.mutate({ jobId })).token);
  expect((await again.auth.me.query()).userId).not.toBe(me.userId);
  const named = await ann.batch.share.mutate({ batchId, expiresIn: 60, viewer: "7" });
  expect((await clientWith(named.token).auth.me.query()).userId).toBe("viewer:7");
  expect(await clientWith(named.token).batch.get.query({ batchId })).toMatchObject({ id: batchId });
});

test("[P21] a life beyond the limit is refused with the limit, and so is none", async () => {
  const ann = clientWith(await tokenFor("ann"));
  const share = (expiresIn: number, link: boolean) =>
    ann.job.share.mutate({ jobId, expiresIn, link });
  await share(MAX_STREAM_TOKEN_SECONDS, false);
  await share(MAX_SHARE_LINK_SECONDS, true);
  for (const [expiresIn, link] of [
    [MAX_STREAM_TOKEN_SECONDS + 1, false],
    [MAX_SHARE_LINK_SECONDS + 1, true],
    [0, true],
    [1.5, false],
  ] as const) {
    expect(await codeOf(share(expiresIn, link))).toBe("BAD_REQUEST");
  }
  await expect(share(MAX_STREAM_TOKEN_SECONDS + 1, false)).rejects.toThrow(
    "A stream token lives for at most 86400 seconds; expiresIn is 86401.",
  );
  expect(await codeOf(ann.job.share.mutate({ jobId, link: true, viewer: "7" }))).toBe(
    "BAD_REQUEST",
  );
});

test("[P21] one that has expired is refused", async () => {
  const ann = clientWith(await tokenFor("ann"));
  const { token, expiresAt } = await ann.job.share.mutate({ jobId, expiresIn: 2 });
  const viewer = clientWith(token);
  expect(await codeOf(viewer.job.get.query({ jobId }))).toBe("ok");
  await eventually(() => {
    expect(Date.now()).toBeGreaterThan(expiresAt.getTime());
  });
  expect(await codeOf(viewer.job.get.query({ jobId }))).toBe("TOKEN_EXPIRED");
});

test("[P21] what an API key shares does not outlive the key", async () => {
  const end = new Date(Date.now() + 60_000);
  const { key } = await makeKey(end);
  const { expiresAt } = await clientWith(key).job.share.mutate({ jobId, link: true });
  expect(expiresAt.getTime()).toBeLessThanOrEqual(end.getTime());
});

test("[P21] a viewer shares nothing on, gets no tickets, and cannot sign in", async () => {
  const ann = clientWith(await tokenFor("ann"));
  for (const link of [false, true]) {
    const { token } = await ann.job.share.mutate({ jobId, link });
    const viewer = clientWith(token);
    for (const call of [
      () => viewer.job.share.mutate({ jobId }),
      () => viewer.job.links.query({ jobId }),
      () => viewer.job.unshare.mutate({ jobId }),
      () => viewer.auth.ticket.mutate({ path: "job.onUpdate", input: { jobId } }),
      () => viewer.job.list.query(),
      () => viewer.job.cancel.mutate({ jobId }),
    ]) {
      expect(await codeOf(call())).toBe("FORBIDDEN");
    }
    const response = await post(app, "/auth/sign-in", { body: { token } });
    expect([response.status, response.headers.get("set-cookie")]).toEqual([403, null]);
  }
});

interface Case {
  maker(): Promise<{ headers: Record<string, string>; end(): Promise<unknown> }>;
  endsLink: boolean;
}
const CASES: [what: string, Case][] = [
  [
    "the token of its maker was revoked",
    {
      endsLink: true,
      maker: async () => ({
        headers: { authorization: `Bearer ${await annsToken({ jti: "t" })}` },
        end: () =>
          manage(({ revocations }) =>
            revocations.revoke("acme", { tokenId: "t", expiresAt: null }, COMMAND_ACTOR),
          ),
      }),
    },
  ],
  [
    "the user who made it was revoked",
    {
      endsLink: true,
      maker: async () => ({
        headers: { authorization: `Bearer ${await annsToken()}` },
        end: () =>
          manage(({ revocations }) => revocations.revoke("acme", { user: "ann" }, COMMAND_ACTOR)),
      }),
    },
  ],
  [
    "the API key of its maker was revoked",
    {
      endsLink: true,
      async maker() {
        const { key, id } = await makeKey();
        return {
          headers: { authorization: `Bearer ${key}` },
          end: () => manage(({ apiKeys }) => apiKeys.revoke(id)),
        };
      },
    },
  ],
  [
    "the API key that its maker signed in with was revoked",
    {
      endsLink: true,
      async maker() {
        const { key, id } = await makeKey();
        return {
          headers: { cookie: await signIn(app, key), origin: app.url },
          end: () => manage(({ apiKeys }) => apiKeys.revoke(id)),
        };
      },
    },
  ],
  [
    "the user of the API key of its maker was revoked",
    {
      endsLink: true,
      async maker() {
        const { key } = await makeKey();
        return {
          headers: { authorization: `Bearer ${key}` },
          end: () =>
            manage(({ revocations }) => revocations.revoke("acme", { user: "ann" }, COMMAND_ACTOR)),
        };
      },
    },
  ],
  [
    "its maker signed out",
    {
      // People sign out, and the links that they sent stay good.
      endsLink: false,
      async maker() {
        const cookie = await signIn(app, await annsToken({ jti: "s" }));
        return {
          headers: { cookie, origin: app.url },
          end: () => post(app, "/auth/sign-out", { cookie }),
        };
      },
    },
  ],
  [
    "the token that its maker signed in with was revoked",
    {
      endsLink: true,
      async maker() {
        const cookie = await signIn(app, await annsToken({ jti: "s" }));
        return {
          headers: { cookie, origin: app.url },
          end: () =>
            manage(({ revocations }) =>
              revocations.revoke("acme", { tokenId: "s", expiresAt: null }, COMMAND_ACTOR),
            ),
        };
      },
    },
  ],
];

describe.each(CASES)("when %s", (_what, { maker, endsLink }) => {
  test("[P21] [P13] a stream token and a share link end, with their connections, and no others", async () => {
    const { headers, end } = await maker();
    const client = clientBy(headers);
    const { token } = await client.job.share.mutate({ jobId });
    const { token: link } = await client.job.share.mutate({ jobId, link: true });
    const bob = clientWith(await tokenFor("bob", { scope: "jobs:read tenant" }));
    const { token: others } = await bob.job.share.mutate({ jobId });
    const watched = { path: "job.onUpdate", input: { jobId } };
    const byToken = await openAll(app.url, { token }, watched);
    const byLink = await openAll(app.url, { token: link }, watched);
    const byOthers = await openAll(app.url, { token: others }, watched);
    expect(byToken()).toEqual(ALL_OPEN);
    await end();
    await eventually(() => expect(byToken()).toEqual(ALL_CLOSED));
    await eventually(() => expect(byLink()).toEqual(endsLink ? ALL_CLOSED : ALL_OPEN));
    expect(byOthers()).toEqual(ALL_OPEN);
    const code = (shared: string) => codeOf(clientWith(shared).job.get.query({ jobId }));
    expect(await code(token)).toBe("UNAUTHENTICATED");
    expect(await code(link)).toBe(endsLink ? "UNAUTHENTICATED" : "ok");
    expect(await code(others)).toBe("ok");
    expect(await bob.job.links.query({ jobId })).toHaveLength(endsLink ? 0 : 1);
    expect(logged.join()).not.toContain(token);
    expect(logged.join()).not.toContain(link);
  });
});

test("[P22] a link that is switched off ends its viewers' connections, and no others", async () => {
  const ann = clientWith(await tokenFor("ann"));
  const shared = [
    await ann.job.share.mutate({ jobId, link: true }),
    await ann.job.share.mutate({ jobId, link: true }),
    await ann.batch.share.mutate({ batchId, link: true }),
  ];
  const ofJob = { path: "job.onUpdate", input: { jobId } };
  const ofBatch = { path: "batch.onUpdate", input: { batchId } };
  const open = await Promise.all(
    shared.map(({ token }, n) => openAll(app.url, { token }, n === 2 ? ofBatch : ofJob)),
  );
  const states = () => open.map((each) => each());
  expect(states()).toEqual([ALL_OPEN, ALL_OPEN, ALL_OPEN]);
  const linkId = shared[0]?.linkId ?? "";
  expect(await ann.batch.unshare.mutate({ batchId, linkId })).toBe(0);
  expect(await ann.job.unshare.mutate({ jobId, linkId })).toBe(1);
  await eventually(() => expect(states()).toEqual([ALL_CLOSED, ALL_OPEN, ALL_OPEN]));
  const codes = () =>
    Promise.all(shared.map(({ token }) => codeOf(clientWith(token).auth.me.query())));
  expect(await codes()).toEqual(["UNAUTHENTICATED", "ok", "ok"]);
  expect(await ann.job.unshare.mutate({ jobId })).toBe(1);
  await eventually(() => expect(states()).toEqual([ALL_CLOSED, ALL_CLOSED, ALL_OPEN]));
  expect(await codes()).toEqual(["UNAUTHENTICATED", "UNAUTHENTICATED", "ok"]);
});

test("[P22] the owner, and others with `tenant`, list the links and switch them off", async () => {
  const ann = clientWith(await tokenFor("ann"));
  const bob = clientWith(await tokenFor("bob", { scope: "jobs:read tenant" }));
  const { linkId } = await ann.job.share.mutate({ jobId, link: true, expiresIn: 60 });
  const second = await bob.job.share.mutate({ jobId, link: true });
  await ann.job.share.mutate({ jobId });
  const links = await ann.job.links.query({ jobId });
  expect(links.map((link) => [link.linkId, link.createdBy])).toEqual([
    [second.linkId, "bob"],
    [linkId, "ann"],
  ]);
  expect(links[0]?.expiresAt).toEqual(second.expiresAt);
  expect(JSON.stringify(links)).not.toContain("ey");
  expect(await bob.job.links.query({ jobId })).toEqual(links);
  for (const [client, code] of [
    [clientWith(await tokenFor("carl")), "NOT_FOUND"],
    [clientWith(await tokenFor("ann", { tenant: "bakery" })), "NOT_FOUND"],
    [clientWith(await tokenFor("dora", { scope: `jobs:read job:${jobId}:read` })), "FORBIDDEN"],
  ] as const) {
    expect(await codeOf(client.job.links.query({ jobId }))).toBe(code);
    expect(await codeOf(client.job.unshare.mutate({ jobId }))).toBe(code);
    expect(await codeOf(client.job.share.mutate({ jobId, link: true }))).toBe(code);
  }
  // A caller that may read a job may show it for a while.
  const dora = clientWith(await tokenFor("dora", { scope: `jobs:read job:${jobId}:read` }));
  expect(await codeOf(dora.job.share.mutate({ jobId }))).toBe("ok");
  expect(await ann.job.links.query({ jobId })).toHaveLength(2);
  expect(await bob.job.unshare.mutate({ jobId, linkId: linkId ?? "" })).toBe(1);
});

test("[P22] the links of one job are limited", async () => {
  const ann = clientWith(await tokenFor("ann"));
  for (let n = 0; n < 20; n++) await ann.job.share.mutate({ jobId, link: true });
  await expect(ann.job.share.mutate({ jobId, link: true })).rejects.toThrow(
    `job ${jobId} has 20 share links, the limit (MAX_STREAM_LINKS). Switch one off.`,
  );
  expect(await codeOf(ann.job.share.mutate({ jobId }))).toBe("ok");
});

test("[P21] a server that does not check callers itself shares nothing, and says why", async () => {
  const env = { PORT: "0", LOG_LEVEL: "silent", SHUTDOWN_GRACE_MS: "0" };
  const config = loadConfig({ ...env, ...data.env });
  for (const parts of [{ kinds: [waits] }, { kinds: [waits], authenticate }]) {
    await app.close();
    app = await createApp(config, parts);
    const client = clientBy({});
    const { id } = await client.job.create.mutate(WAITS);
    for (const call of [
      () => client.job.share.mutate({ jobId: id }),
      () => client.job.links.query({ jobId: id }),
      () => client.auth.ticket.mutate({ path: "job.onUpdate", input: { jobId: id } }),
    ]) {
      await expect(call()).rejects.toMatchObject({
        data: { appCode: "FORBIDDEN" },
        message: expect.stringContaining("AUTH_JWT_SECRET") as string,
      });
    }
  }
});
