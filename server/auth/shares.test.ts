/** Links whose maker's credential ends while they are made. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { openEngine } from "#server/engine/index.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { auditOf } from "#test/engine/audit.ts";
import { newJob } from "#test/engine/builders.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { createApiKeys } from "./api-keys.ts";
import { hashOfApiKey } from "./api-key.ts";
import { createRevocationCheck } from "./revocation-check.ts";
import { createRevocations } from "./revocations.ts";
import { createShares, type Sharer } from "./shares.ts";

let data: TestData;
let engine: Engine;

beforeEach(async () => {
  data = await newTestData();
  engine = await openEngine(data.config);
});
afterEach(async () => {
  await engine.close();
  await data.remove();
});

const now = () => new Date();
const principal = { userId: "ann", tenantId: "acme", scopes: ["jobs:read"] };
const iat = Date.now() - 10_000;

const sharerBy = (credential: Sharer["credential"]): Sharer => ({
  principal,
  via: "key",
  credential,
  expiresAt: undefined,
});

async function keyOfAnn() {
  const apiKeys = createApiKeys({ store: engine.apiKeys, audit: auditOf(engine), now });
  const request = { tenant: "acme", user: "ann", scopes: ["jobs:read"], label: "" };
  const { key, record } = await apiKeys.create({ ...request, expiresAt: null });
  const sharer = sharerBy({ kind: "key", id: record.id, keyHash: hashOfApiKey(key) ?? "" });
  return { sharer, revoke: () => apiKeys.revoke(record.id) };
}

const revoke = (what: { user: string } | { tokenId: string; expiresAt: null }) =>
  createRevocations({ store: engine.revocations, audit: auditOf(engine), now }).revoke(
    "acme",
    what,
    COMMAND_ACTOR,
  );

const CASES: [what: string, prepare: () => Promise<{ sharer: Sharer; end(): Promise<unknown> }>][] =
  [
    [
      "an API key",
      async () => {
        const { sharer, revoke: end } = await keyOfAnn();
        return { sharer, end };
      },
    ],
    [
      "the user of an API key",
      async () => ({ sharer: (await keyOfAnn()).sharer, end: () => revoke({ user: "ann" }) }),
    ],
    [
      "a token",
      async () => ({
        sharer: sharerBy({ kind: "token", id: "t", issuedAt: iat }),
        end: () => revoke({ tokenId: "t", expiresAt: null }),
      }),
    ],
    [
      "the user of a provider",
      async () => ({
        sharer: sharerBy({ kind: "oidc", id: "https://provider.test", issuedAt: iat }),
        end: () => revoke({ user: "ann" }),
      }),
    ],
  ];

// The server has checked the credential before: what is revoked from then on must be found out here.
test.each(CASES)(
  "[P21] a link by %s that was just revoked is not left behind",
  async (_, prepare) => {
    const { sharer, end } = await prepare();
    const job = await engine.createJob(newJob({ tenant: "acme", owner: "ann" }), now());
    const shares = createShares({
      engine,
      signer: { sign: async () => "signed" },
      revocations: createRevocationCheck({ store: engine.revocations }),
      audit: auditOf(engine),
      now,
    });
    const share = () =>
      shares.share(sharer, { stream: "job", id: job.id }, { link: true, viewer: undefined });
    expect(await share()).toMatchObject({ token: "signed" });
    await end();
    await expect(share()).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    const stream = `job:${job.id}`;
    expect(await engine.shareLinks.list({ tenant: "acme", stream }, now())).toEqual([]);
  },
);
