/** Credentials that end at one gateway while connections to another rely on them. */
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { App } from "#server/app.ts";
import { withManagement } from "#server/command/reach-data.ts";
import type { Config } from "#server/config.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { openGateways, openGatewaysWithoutLooks } from "#test/redis/gateways.fixture.ts";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";
import {
  ALL_CLOSED,
  ALL_OPEN,
  type Credential,
  openAll,
} from "#test/transports/lasting-connections.fixture.ts";
import { post, signIn, tokenFor } from "#test/transports/signed-in.fixture.ts";
import type { Management } from "./management.ts";
import { hashOfTokenId } from "./token-hash.ts";

let redis: TestRedis;
let config: Config;
let here: App;
let there: App;

beforeAll(async () => {
  redis = await startRedis(inject("redisServer"));
});
afterAll(() => redis.close());

async function open(openBoth = openGateways): Promise<void> {
  ({ config, here, there } = await openBoth(redis));
}

const now = () => new Date();
const manage = <T>(use: (management: Management) => Promise<T>) => withManagement(config, now, use);
const before = () => Math.floor(Date.now() / 1000) - 10;

async function makeKey(user: string): Promise<{ token: string; id: string }> {
  const scopes = [...PERSON_SCOPES];
  const request = { tenant: "acme", user, scopes, label: "", expiresAt: null };
  const { key, record } = await manage(({ apiKeys }) => apiKeys.create(request));
  return { token: key, id: record.id };
}

/** Connections that rely on a credential, the call that ends it, and one that ends it without a hint. */
interface Case {
  by: Credential;
  end(): Promise<unknown>;
  endUnheard(): Promise<unknown>;
}

const CASES: [what: string, prepare: () => Promise<Case>][] = [
  [
    "an API key",
    async () => {
      const { token, id } = await makeKey("ann");
      return {
        by: { token },
        end: () => manage(({ apiKeys }) => apiKeys.revoke(id)),
        endUnheard: () => redis.client.hset(`jobwire:{:api-keys}:key:${id}`, "revoked", Date.now()),
      };
    },
  ],
  [
    "a token",
    async () => ({
      by: { token: await tokenFor("ann", { jti: "t", iat: before() }) },
      end: () =>
        manage(({ revocations }) =>
          revocations.revoke("acme", { tokenId: "t", expiresAt: null }, COMMAND_ACTOR),
        ),
      endUnheard: () =>
        redis.client.zadd(
          "jobwire:{:api-keys}:revoked-tokens:acme",
          Date.now() + 60_000,
          hashOfTokenId("t"),
        ),
    }),
  ],
  [
    "the token of a user",
    async () => ({
      by: { token: await tokenFor("ann", { iat: before() }) },
      end: () =>
        manage(({ revocations }) => revocations.revoke("acme", { user: "ann" }, COMMAND_ACTOR)),
      endUnheard: () =>
        redis.client.zadd("jobwire:{:api-keys}:revoked-users:acme", Date.now(), "ann"),
    }),
  ],
  [
    "the API key of a user",
    async () => {
      const { token, id } = await makeKey("ann");
      return {
        by: { token },
        end: () =>
          manage(({ revocations }) => revocations.revoke("acme", { user: "ann" }, COMMAND_ACTOR)),
        endUnheard: () => redis.client.hset(`jobwire:{:api-keys}:key:${id}`, "revoked", Date.now()),
      };
    },
  ],
  [
    "a sign-in with a token",
    async () => {
      const cookie = await signIn(there, await tokenFor("ann", { jti: "t", iat: before() }));
      return {
        by: { cookie },
        end: () =>
          manage(({ revocations }) =>
            revocations.revoke("acme", { tokenId: "t", expiresAt: null }, COMMAND_ACTOR),
          ),
        endUnheard: () =>
          redis.client.zadd("jobwire:{:api-keys}:revoked-users:acme", Date.now(), "ann"),
      };
    },
  ],
  [
    "a sign-in that is signed out",
    async () => {
      const cookie = await signIn(there, await tokenFor("ann", { iat: before() }));
      return {
        by: { cookie },
        end: () => post(here, "/auth/sign-out", { cookie }),
        endUnheard: async () => {
          for (const key of await redis.client.keys("jobwire:sign-in:*")) {
            await redis.client.del(key);
          }
        },
      };
    },
  ],
];

describe.each(CASES)("%s", (_what, prepare) => {
  test("[P13] that ends at one gateway ends its connections to another, and nothing else", async () => {
    await open(openGatewaysWithoutLooks);
    const { by, end } = await prepare();
    const others = [
      await openAll(there.url, { token: (await makeKey("bob")).token }),
      await openAll(there.url, { token: await tokenFor("bob", { jti: "b", iat: before() }) }),
    ];
    const hers = await openAll(there.url, by);
    await end();
    await eventually(() => expect(hers()).toEqual(ALL_CLOSED));
    expect(others.map((isClosed) => isClosed())).toEqual([ALL_OPEN, ALL_OPEN]);
    await expect(openAll(there.url, by)).rejects.toThrow(
      /UNAUTHENTICATED|not valid|sign-in has ended/,
    );
  });

  test("[P13] whose end no message told of ends its connections all the same", async () => {
    await open();
    const { by, endUnheard } = await prepare();
    const hers = await openAll(there.url, by);
    await endUnheard();
    await eventually(() => expect(hers()).toEqual(ALL_CLOSED));
  });
});

test("[P14] what a revoked user is issued after the answer counts again", async () => {
  await open();
  await manage(({ revocations }) => revocations.revoke("acme", { user: "ann" }, COMMAND_ACTOR));
  const iat = Math.floor(Date.now() / 1000);
  const key = await makeKey("ann");
  for (const token of [await tokenFor("ann", { iat }), key.token]) {
    const isClosed = await openAll(there.url, { token });
    const cookie = await signIn(there, token);
    const isSignedOut = await openAll(there.url, { cookie });
    await fetch(`${there.url}/healthz`);
    expect([isClosed(), isSignedOut()]).toEqual([ALL_OPEN, ALL_OPEN]);
  }
});

test("[P15] while Redis is away, what is open stays, and an unchecked token is told to try again", async () => {
  await open();
  const known = await tokenFor("ann", { jti: "known", iat: before() });
  const isClosed = await openAll(there.url, { token: known });
  await redis.kill();
  const fresh = await tokenFor("ann", { jti: "fresh", iat: before() });
  const answer = await fetch(`${there.url}/trpc/system.info`, {
    headers: { authorization: `Bearer ${fresh}` },
  });
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('"appCode":"UNAVAILABLE"');
  expect(isClosed()).toEqual(ALL_OPEN);
  await redis.start();
  await eventually(async () => {
    const again = await fetch(`${there.url}/trpc/system.info`, {
      headers: { authorization: `Bearer ${fresh}` },
    });
    expect(again.status).toBe(200);
  });
});
