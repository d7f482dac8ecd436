import { describe, expect } from "vitest";
import type { NewApiKey } from "#server/engine/api-key-store.ts";
import type { Engine } from "#server/engine/contract.ts";
import { MAX_API_KEYS } from "#shared/limits.ts";
import { at, codeOf, newId } from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

function newKey(given: Partial<NewApiKey> = {}): NewApiKey {
  return {
    id: newId(),
    tenant: "acme",
    user: "reports",
    scopes: ["jobs:read"],
    label: "",
    createdAt: at(0),
    expiresAt: null,
    ...given,
  };
}
/** Any 64 digits are a SHA-256; these differ for each name. */
const hashOf = (name: string) => Buffer.from(name).toString("hex").padStart(64, "0");
const idsIn = async (engine: Engine, tenant?: string) =>
  (await engine.apiKeys.list({ tenant, limit: 99 })).items.map(({ id }) => id);

async function fill(engine: Engine, tenant: string, count: number): Promise<void> {
  const keys = Array.from({ length: count }, () => newKey({ tenant }));
  await Promise.all(keys.map((key) => engine.apiKeys.create(key, hashOf(key.id.slice(4)))));
}

export function apiKeysSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("API keys", () => {
    test("[P8] a key is found by its hash with all that was said of it, and by no other", async ({
      engine,
    }) => {
      const key = newKey({
        tenant: "ü 😀:{x}",
        user: "a b",
        scopes: ["jobs:read", "operator", `job:${newId()}:read`],
        label: "Nightly “reports”",
        createdAt: at(1.234),
        expiresAt: at(90),
      });
      const stored = { ...key, lastUsedAt: null, revokedAt: null };
      expect(await engine.apiKeys.find(hashOf("one"))).toBeUndefined();
      expect(await engine.apiKeys.create(key, hashOf("one"))).toEqual(stored);
      expect(await engine.apiKeys.find(hashOf("one"))).toEqual(stored);
      expect(await engine.apiKeys.find(hashOf("two"))).toBeUndefined();
      expect((await engine.apiKeys.list({ limit: 9 })).items).toEqual([stored]);
    });

    test("survives closing and opening", async ({ data, engine }) => {
      const key = await engine.apiKeys.create(newKey(), hashOf("one"));
      await engine.close();
      expect(await (await data.open()).apiKeys.find(hashOf("one"))).toEqual(key);
    });

    test("are listed newest first, in pages, of one tenant or of all", async ({ engine }) => {
      const ids: string[] = [];
      for (const [index, tenant] of ["acme", "bakery", "acme", "acme", "bakery"].entries()) {
        const key = newKey({ tenant });
        await engine.apiKeys.create(key, hashOf(`${index}`));
        ids.unshift(key.id);
      }
      expect(await idsIn(engine)).toEqual(ids);
      expect(await idsIn(engine, "acme")).toEqual([ids[1], ids[2], ids[4]]);
      expect(await idsIn(engine, "nowhere")).toEqual([]);
      for (const tenant of [undefined, "acme"]) {
        const all = await idsIn(engine, tenant);
        const first = await engine.apiKeys.list({ tenant, limit: 2 });
        const cursor = first.nextCursor ?? undefined;
        const next = await engine.apiKeys.list({ tenant, limit: 3, cursor });
        expect([...first.items, ...next.items].map(({ id }) => id)).toEqual(all);
        expect(next.nextCursor).toBeNull();
      }
      expect(await codeOf(engine.apiKeys.list({ cursor: "-1", limit: 2 }))).toBe("BAD_REQUEST");
    });

    test("[P8] one that is revoked says since when, and revoking it again changes nothing", async ({
      engine,
    }) => {
      const { id } = await engine.apiKeys.create(newKey(), hashOf("one"));
      await engine.apiKeys.create(newKey(), hashOf("two"));
      expect(await engine.apiKeys.revoke(id, at(5))).toMatchObject({ id, revokedAt: at(5) });
      expect(await engine.apiKeys.revoke(id, at(9))).toMatchObject({ id, revokedAt: at(5) });
      expect(await engine.apiKeys.find(hashOf("one"))).toMatchObject({ revokedAt: at(5) });
      expect(await engine.apiKeys.find(hashOf("two"))).toMatchObject({ revokedAt: null });
      expect(await engine.apiKeys.revoke(newId(), at(5))).toBeUndefined();
    });

    test("the newest use is kept, and an unknown key has none", async ({ engine }) => {
      const { id } = await engine.apiKeys.create(newKey(), hashOf("one"));
      const used = async () => (await engine.apiKeys.find(hashOf("one")))?.lastUsedAt;
      expect(await used()).toBeNull();
      await engine.apiKeys.noteUse(id, at(5));
      expect(await used()).toEqual(at(5));
      await engine.apiKeys.noteUse(id, at(4));
      await engine.apiKeys.noteUse(newId(), at(7));
      expect(await used()).toEqual(at(5));
      expect(await idsIn(engine)).toEqual([id]);
    });

    test("[H5] a tenant has a limited number, and a key that ended makes room", async ({
      engine,
    }) => {
      const expiring = newKey({ expiresAt: at(10) });
      const revoked = newKey();
      await engine.apiKeys.create(expiring, hashOf("expiring"));
      await engine.apiKeys.create(revoked, hashOf("revoked"));
      await fill(engine, "acme", MAX_API_KEYS - 2);

      const more = newKey({ createdAt: at(9) });
      const refused = engine.apiKeys.create(more, hashOf("more"));
      await expect(refused).rejects.toThrow(/"acme" has 1000 API keys.*MAX_API_KEYS/);
      expect(await codeOf(refused)).toBe("BAD_REQUEST");
      expect(await engine.apiKeys.find(hashOf("more"))).toBeUndefined();
      // Other tenants have a limit of their own.
      await engine.apiKeys.create(newKey({ tenant: "bakery" }), hashOf("other"));

      await engine.apiKeys.revoke(revoked.id, at(9));
      await engine.apiKeys.create(more, hashOf("more"));
      expect(await engine.apiKeys.find(hashOf("revoked"))).toBeUndefined();
      expect(await engine.apiKeys.find(hashOf("expiring"))).toMatchObject({ id: expiring.id });

      await engine.apiKeys.create(newKey({ createdAt: at(10) }), hashOf("last"));
      expect(await engine.apiKeys.find(hashOf("expiring"))).toBeUndefined();
      expect(await engine.apiKeys.find(hashOf("more"))).toMatchObject({ id: more.id });
      expect(await codeOf(engine.apiKeys.create(newKey(), hashOf("no")))).toBe("BAD_REQUEST");
      expect((await engine.apiKeys.list({ tenant: "acme", limit: 2000 })).items).toHaveLength(
        MAX_API_KEYS,
      );
    });

    test("can be read and written no more once the engine is closed", async ({ engine }) => {
      await engine.close();
      const calls = [
        engine.apiKeys.create(newKey(), hashOf("one")),
        engine.apiKeys.find(hashOf("one")),
        engine.apiKeys.list({ limit: 1 }),
        engine.apiKeys.revoke(newId(), at(0)),
        engine.apiKeys.noteUse(newId(), at(0)),
      ];
      expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => "UNAVAILABLE"));
    });
  });
}
