import { describe, expect, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import { MAX_STREAM_LINKS, MAX_TENANT_LINKS, MAX_TICKETS } from "#shared/limits.ts";
import type { ShareLink } from "#shared/share.ts";
import { codeOf, newId } from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

const HOUR_MS = 60 * 60_000;
// An engine may expire keys and tickets by the machine's clock.
const NOW = Date.now();
const after = (ms: number) => new Date(NOW + ms);
const hashOf = (name: string) => Buffer.from(name).toString("hex").padStart(64, "0");
const newStream = () => `job:${newId()}`;

const NAMES = ["ann", "ü 😀:{x}", 'a "b"\\', "é-\u2028"];

interface Given {
  tenant?: string;
  stream?: string;
  user?: string;
  /** Of its maker's token. */
  token?: string;
  /** The API key that made it. */
  key?: { id: string; keyHash: string };
  createdAt?: Date;
  expiresAt?: Date;
}

function linkOf({ user = "ann", token, key, ...given }: Given = {}) {
  const byToken = { kind: "token" as const, id: token ?? null, issuedAt: NOW };
  const link: ShareLink = {
    id: newId(),
    tenant: "acme",
    stream: newStream(),
    maker: { user, credential: key ? { kind: "key", ...key } : byToken },
    createdAt: after(0),
    expiresAt: after(HOUR_MS),
    ...given,
  };
  return { link, tokenHash: token === undefined ? null : hashOf(token) };
}

async function newKey(engine: Engine, tenant: string) {
  const [id, scopes] = [newId(), ["jobs:read"]];
  const keyHash = hashOf(id.slice(4));
  const key = { id, tenant, user: "ann", scopes, label: "", createdAt: after(0), expiresAt: null };
  await engine.apiKeys.create(key, keyHash);
  return { id, keyHash };
}

const takeOf = (given: { id: string; holder: string; user?: string; mayOpen?: boolean }) => ({
  tenant: "acme ü",
  user: "ann",
  mayOpen: true,
  until: after(HOUR_MS),
  ...given,
});

export function sharesSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("signing keys", () => {
    test("[P20] the first of several keys with one id counts, also after closing and opening", async ({
      data,
      engine,
    }) => {
      const keyOf = (secret: string) => ({ id: "1", secret, until: after(HOUR_MS) });
      expect(await engine.signingKeys.find("1")).toBeUndefined();
      const agreed = await Promise.all(
        ["a", "b", "c"].map((secret) => engine.signingKeys.agree(keyOf(secret), after(0))),
      );
      expect(new Set(agreed).size).toBe(1);
      expect(await engine.signingKeys.agree(keyOf("d"), after(1))).toBe(agreed[0]);
      await engine.close();
      const again = await data.open();
      expect(await again.signingKeys.find("1")).toBe(agreed[0]);
      expect(await again.signingKeys.find("2")).toBeUndefined();
    });
  });

  describe("share links", () => {
    test("[P22] one is found and listed with all that it has, until it ends", async ({
      data,
      engine,
    }) => {
      const [tenant, otherTenant] = ["ü 😀:{x}", "acme"];
      const stream = newStream();
      const stored = NAMES.map((name, n) =>
        linkOf({ tenant, stream, user: name, token: name, createdAt: after(n) }),
      );
      for (const each of stored) await engine.shareLinks.add(each, after(0));
      const elsewhere = linkOf({ tenant: otherTenant, stream });
      await engine.shareLinks.add(elsewhere, after(0));
      await engine.close();
      const again = await data.open();
      const links = stored.map(({ link }) => link);
      const { shareLinks } = again;
      expect(await shareLinks.find([...links, elsewhere.link], after(1))).toEqual([
        ...links,
        elsewhere.link,
      ]);
      expect(await shareLinks.list({ tenant, stream }, after(1))).toEqual(links.toReversed());
      const [first] = links;
      if (first === undefined) throw new Error("There is none.");
      const others = [
        { ...first, tenant: otherTenant },
        { ...first, stream: newStream() },
        { ...first, id: newId() },
      ];
      expect(await shareLinks.find(others, after(1))).toEqual([undefined, undefined, undefined]);
      expect(await shareLinks.find([first], after(HOUR_MS))).toEqual([undefined]);
      expect(await shareLinks.list(first, after(HOUR_MS))).toEqual([]);
    });

    test("[P22] one that is removed does not count, and its end is hinted at", async ({
      engine,
    }) => {
      const heard: CredentialHint[] = [];
      await engine.onCredentialEnd((hint) => heard.push(hint));
      const { shareLinks } = engine;
      const stream = newStream();
      const [a, b, c] = [linkOf({ stream }), linkOf({ stream }), linkOf({ stream })];
      const other = linkOf();
      for (const each of [a, b, c, other]) await shareLinks.add(each, after(0));
      const of = { tenant: "acme", stream };
      expect(await shareLinks.remove({ ...of, id: a.link.id }, after(1))).toBe(1);
      expect(await shareLinks.remove({ ...of, id: a.link.id }, after(1))).toBe(0);
      expect(await shareLinks.remove({ ...of, id: other.link.id }, after(1))).toBe(0);
      const refs = [a.link, b.link, c.link, other.link];
      const found = async () => (await shareLinks.find(refs, after(2))).map((link) => link?.id);
      expect(await found()).toEqual([undefined, b.link.id, c.link.id, other.link.id]);
      expect(await shareLinks.remove(of, after(1))).toBe(2);
      expect(await found()).toEqual([undefined, undefined, undefined, other.link.id]);
      const ids = [a, b, c].map(({ link }) => link.id);
      await vi.waitFor(() => {
        const told = heard.flatMap((hint) => (hint.kind === "link" ? [hint.id] : []));
        expect(told.toSorted()).toEqual(ids.toSorted());
      });
    });

    test("[P21] those of a revoked token, and of a revoked user, are removed with the revocation", async ({
      engine,
    }) => {
      for (const name of NAMES) {
        const stream = newStream();
        const byToken = linkOf({ tenant: name, stream, user: "ann", token: name });
        const byUser = linkOf({ tenant: name, stream, user: name, token: "2" });
        const kept = linkOf({ tenant: name, stream, user: "bob" });
        for (const each of [byToken, byUser, kept]) await engine.shareLinks.add(each, after(0));
        const listed = async () =>
          (await engine.shareLinks.list({ tenant: name, stream }, after(1))).map(({ id }) => id);
        const until = after(HOUR_MS);
        await engine.revocations.revokeToken({ tenant: name, hash: hashOf(name), until }, after(1));
        expect(await listed()).not.toContain(byToken.link.id);
        const user = name === "ann" ? "bob" : name;
        if (user === "bob") continue;
        await engine.revocations.revokeUser({ tenant: name, user, before: after(1) }, after(1));
        expect(await listed()).toEqual([kept.link.id]);
      }
    });

    test("[P21] those of a revoked API key are removed with the revocation, and no others", async ({
      engine,
    }) => {
      for (const tenant of NAMES) {
        const [revoked, other] = [await newKey(engine, tenant), await newKey(engine, tenant)];
        const stream = newStream();
        const byKey = [linkOf({ tenant, stream, key: revoked }), linkOf({ tenant, key: revoked })];
        const kept = [
          linkOf({ tenant, stream, key: other }),
          // A token may have the id of a key.
          linkOf({ tenant, stream, token: revoked.id }),
          linkOf({ tenant, stream }),
        ];
        for (const each of [...byKey, ...kept]) await engine.shareLinks.add(each, after(0));
        const ids = [...byKey, ...kept].map(({ link }) => link);
        const found = async () => (await engine.shareLinks.find(ids, after(2))).map(Boolean);
        await engine.apiKeys.revoke(newId(), after(1));
        expect(await found()).toEqual([true, true, true, true, true]);
        await engine.apiKeys.revoke(revoked.id, after(1));
        expect(await found()).toEqual([false, false, true, true, true]);
        expect(await engine.shareLinks.list({ tenant, stream }, after(2))).toHaveLength(3);
        // One that came a moment too late goes when the key is revoked again.
        await engine.shareLinks.add(linkOf({ tenant, stream, key: revoked }), after(1));
        await engine.apiKeys.revoke(revoked.id, after(2));
        expect(await engine.shareLinks.list({ tenant, stream }, after(3))).toHaveLength(3);
      }
    });

    test("[P22] those of a revoked API key make room for others", async ({ engine }) => {
      const key = await newKey(engine, "acme");
      const stream = newStream();
      const add = (given: Given) => engine.shareLinks.add(linkOf({ stream, ...given }), after(0));
      for (let n = 0; n < MAX_STREAM_LINKS; n++) await add({ key });
      expect(await codeOf(add({}))).toBe("BAD_REQUEST");
      await engine.apiKeys.revoke(key.id, after(0));
      for (let n = 0; n < MAX_STREAM_LINKS; n++) await add({});
      expect(await codeOf(add({}))).toBe("BAD_REQUEST");
    });

    test("a stream and a tenant have a limited number, of which those that ended make room", async ({
      engine,
    }) => {
      const { shareLinks } = engine;
      const stream = newStream();
      const soon = { stream, expiresAt: after(10) };
      for (let n = 0; n < MAX_STREAM_LINKS; n++) await shareLinks.add(linkOf(soon), after(0));
      const refused = shareLinks.add(linkOf({ stream }), after(9));
      await expect(refused).rejects.toMatchObject({
        code: "BAD_REQUEST",
        message: expect.stringContaining("MAX_STREAM_LINKS") as string,
      });
      await shareLinks.add(linkOf(), after(9));
      await shareLinks.add(linkOf({ stream }), after(10));
      for (let n = 2; n < MAX_TENANT_LINKS; n++) await shareLinks.add(linkOf(), after(10));
      const beyond = shareLinks.add(linkOf(), after(11));
      await expect(beyond).rejects.toMatchObject({
        code: "BAD_REQUEST",
        message: expect.stringContaining("MAX_TENANT_LINKS") as string,
      });
      await shareLinks.add(linkOf({ tenant: "bakery" }), after(11));
      expect(await codeOf(shareLinks.add(linkOf(), after(HOUR_MS)))).toBeUndefined();
    });
  });

  describe("tickets", () => {
    test("[P23] an opened one is held by the connection that took it last", async ({
      data,
      engine,
    }) => {
      const heard: CredentialHint[] = [];
      await engine.onCredentialEnd((hint) => heard.push(hint));
      for (const user of NAMES) {
        const id = newId();
        const first = takeOf({ id, user, holder: "1", mayOpen: false });
        expect(await engine.tickets.take(first, after(0))).toBe(false);
        expect(await engine.tickets.holders([first])).toEqual([undefined]);
        expect(await engine.tickets.take({ ...first, mayOpen: true }, after(0))).toBe(true);
        expect(heard).toEqual([]);
        expect(await engine.tickets.take({ ...first, holder: "2" }, after(1))).toBe(true);
        const others = [
          { ...first, user: "bob" },
          { ...first, tenant: "acme" },
        ];
        expect(await engine.tickets.holders([first, ...others])).toEqual([
          "2",
          undefined,
          undefined,
        ]);
        await vi.waitFor(() => expect(heard).toEqual([{ kind: "ticket", id }]));
        heard.length = 0;
      }
      const kept = takeOf({ id: newId(), holder: "3" });
      await engine.tickets.take(kept, after(0));
      await engine.close();
      expect(await (await data.open()).tickets.holders([kept])).toEqual(["3"]);
    });

    test("[P23] one that has ended is forgotten, and so is the one that ends first of too many", async ({
      engine,
    }) => {
      const { tickets } = engine;
      const old = takeOf({ id: newId(), holder: "1" });
      await tickets.take(old, after(0));
      const later = { ...takeOf({ id: newId(), holder: "1" }), until: after(3 * HOUR_MS) };
      expect(await tickets.take(later, after(HOUR_MS))).toBe(true);
      expect(await tickets.take({ ...old, mayOpen: false }, after(HOUR_MS))).toBe(false);
      const ids = Array.from({ length: MAX_TICKETS }, () => newId());
      for (const [n, id] of ids.entries()) {
        const until = after(2 * HOUR_MS + n);
        await tickets.take({ ...takeOf({ id, holder: "1" }), until }, after(HOUR_MS));
      }
      const refs = ids.map((id) => takeOf({ id, holder: "1" }));
      expect(await tickets.holders([later, ...refs.slice(0, 2)])).toEqual(["1", undefined, "1"]);
    });
  });
}
