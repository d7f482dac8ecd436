import { describe, expect, vi } from "vitest";
import type { PresenceCall, PresenceChange, Who } from "#server/engine/presence-store.ts";
import type { Engine } from "#server/engine/contract.ts";
import type { PresenceTopic } from "#shared/presence.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import { listen } from "./builders.ts";

const TENANT = "acme";
const TTL_MS = 60_000;
const JOB = "job:0198f1a2-0000-7000-8000-000000000000";
const BATCH = "batch:0198f1a2-0000-7000-8000-000000000000";

/** A node's word about a topic: `join:uann` */
const changes = (topic: PresenceTopic, ...said: string[]): PresenceChange[] =>
  said.map((each, index) => {
    const [what = "", who = ""] = each.split(/:(.*)/s);
    const since = 1000 + index;
    return {
      topic,
      what,
      ...(who !== "" && { who }),
      ...(what === "join" && { since }),
    } as PresenceChange;
  });

function keep(engine: Engine, node: string, call: Partial<PresenceCall>): Promise<PresenceTopic[]> {
  return engine.presence.keep({
    tenant: TENANT,
    node,
    ttlMs: TTL_MS,
    holds: new Map(),
    changes: [],
    ...call,
  });
}

const say = (engine: Engine, node: string, topic: PresenceTopic, ...said: string[]) =>
  keep(engine, node, { changes: changes(topic, ...said) });

const unnamed = (count: number) => (count > 0 ? [`+${count}`] : []);

/** Writes who is there: `ann bob +2`, and who writes: `/ ann +1`. */
async function shown(engine: Engine, topic: PresenceTopic, tenant = TENANT): Promise<string> {
  const { people, newest, guests, typing, typists } = await engine.presence.read(tenant, topic, 20);
  expect(newest).toHaveLength(Math.min(20, people));
  const there = [...newest.map(({ user }) => user), ...unnamed(guests)];
  const writing = [...typists, ...unnamed(typing - typists.length)];
  return [...there, ...(writing.length > 0 ? ["/", ...writing] : [])].join(" ");
}

export function presenceSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("people and nodes", () => {
    test("shows who is there, newest first, and others as a number", async ({ engine }) => {
      expect(await shown(engine, JOB)).toBe("");
      await say(engine, "one", JOB, "join:uann", "join:g1", "join:ubob", "join:g2");
      expect(await shown(engine, JOB)).toBe("bob ann +2");
      await say(engine, "one", JOB, "leave:uann", "leave:g1", "leave:ueve");
      expect(await shown(engine, JOB)).toBe("bob +1");
      expect(await engine.presence.read(TENANT, JOB, 20)).toMatchObject({
        newest: [{ user: "bob", since: 1002 }],
      });
      await say(engine, "one", JOB, "type:ubob");
      const { rev: _rev, ...numbers } = await engine.presence.read(TENANT, JOB, 0);
      expect(numbers).toEqual({ people: 1, guests: 1, newest: [], typing: 1, typists: [] });
    });

    test("a person with several nodes is one, until the last of these lets go", async ({
      engine,
    }) => {
      await say(engine, "one", JOB, "join:uann", "join:uann");
      await say(engine, "two", JOB, "join:ubob", "join:uann");
      expect(await shown(engine, JOB)).toBe("bob ann");
      await say(engine, "one", JOB, "leave:uann", "leave:uann");
      expect(await shown(engine, JOB)).toBe("bob ann");
      await say(engine, "two", JOB, "leave:uann");
      expect(await shown(engine, JOB)).toBe("bob");
    });

    test("topics and tenants know nothing of each other", async ({ engine }) => {
      await say(engine, "one", JOB, "join:uann", "type:uann");
      for (const topic of [BATCH, "tenant"] as const) expect(await shown(engine, topic)).toBe("");
      expect(await shown(engine, JOB, "acm")).toBe("");
      await say(engine, "one", BATCH, "leave:uann", "stop:uann");
      expect(await shown(engine, JOB)).toBe("ann / ann");
    });

    test("names are any text", async ({ engine }) => {
      const names = ["ü 😀", "u", "g1", "tenant", "__proto__", "a:b", " ", "*"];
      await say(engine, "one", JOB, ...names.map((name) => `join:u${name}`), "join:gg1");
      await say(engine, "one", JOB, ...names.map((name) => `type:u${name}`));
      const { people, guests, newest, typists } = await engine.presence.read(TENANT, JOB, 20);
      expect([people, guests]).toEqual([names.length, 1]);
      expect(newest.map(({ user }) => user)).toEqual(names.toReversed());
      expect(typists).toEqual(names.toSorted());
    });

    test("who writes does so until they stop, leave, or the node that said so last ends it", async ({
      engine,
    }) => {
      await say(engine, "one", JOB, "join:uann", "join:ubob", "type:uann", "type:ubob", "type:g1");
      expect(await shown(engine, JOB)).toBe("bob ann / ann bob +1");
      await say(engine, "two", JOB, "type:uann", "stop:ubob");
      await say(engine, "one", JOB, "end:uann", "end:g1");
      expect(await shown(engine, JOB)).toBe("bob ann / ann");
      await say(engine, "two", JOB, "end:uann", "type:ubob");
      expect(await shown(engine, JOB)).toBe("bob ann / bob");
      await say(engine, "one", JOB, "leave:ubob");
      expect(await shown(engine, JOB)).toBe("ann");
    });

    test("after a reset those whom this node does not name again are gone", async ({ engine }) => {
      await say(engine, "one", JOB, "join:g1", "join:ubob", "join:uann", "type:uann", "type:ubob");
      await say(engine, "two", JOB, "join:ubob", "type:ubob");
      await say(engine, "one", JOB, "type:ueve");
      await say(engine, "one", JOB, "reset", "join:ueve", "join:uann", "settle");
      expect(await shown(engine, JOB)).toBe("ann eve bob / bob");
      expect(await keep(engine, "one", { holds: new Map([[JOB, 2]]) })).toEqual([]);
      await say(engine, "one", JOB, "reset", "settle");
      expect(await shown(engine, JOB)).toBe("bob / bob");
      await say(engine, "two", JOB, "reset", "settle");
      expect(await shown(engine, JOB)).toBe("");
    });

    test.runIf(subject.capabilities.multiProcess)(
      "a crowd that a node says anew in many calls never seems smaller, also if one of these fails",
      async ({ engine }) => {
        const fans = Array.from({ length: 1300 }, (_, n) => `join:ufan ${n}`);
        await say(engine, "one", JOB, ...fans);
        const { rev } = await engine.presence.read(TENANT, JOB, 20);
        await say(engine, "one", JOB, "reset", ...fans.slice(0, 600));
        expect(await engine.presence.read(TENANT, JOB, 20)).toMatchObject({ people: 1300, rev });
        await say(engine, "one", JOB, "reset", ...fans.slice(0, 700));
        expect(await engine.presence.read(TENANT, JOB, 20)).toMatchObject({ people: 1300, rev });
        await say(engine, "one", JOB, "settle");
        expect(await engine.presence.read(TENANT, JOB, 20)).toMatchObject({ people: 700 });
        expect(await keep(engine, "one", { holds: new Map([[JOB, 700]]) })).toEqual([]);
      },
    );

    test.runIf(subject.capabilities.multiProcess)(
      "people of a node that died while it said them anew are gone after its time",
      async ({ data, engine }) => {
        await say(engine, "dead", JOB, "join:uann", "join:ubob");
        await say(engine, "dead", JOB, "reset", "join:uann");
        await say(engine, "alive", JOB, "join:ueve");
        expect(await shown(engine, JOB)).toBe("bob eve ann");
        await data.pass(TTL_MS / 2);
        await keep(engine, "alive", {});
        await data.pass(TTL_MS / 2 + 1000);
        await keep(engine, "alive", { holds: new Map([[JOB, 1]]) });
        expect(await shown(engine, JOB)).toBe("eve");
      },
    );

    test.runIf(subject.capabilities.multiProcess)(
      "a node that is late itself neither loses its people nor forgets those of others, unless these stay away",
      async ({ data, engine }) => {
        await say(engine, "slow", JOB, "join:uann", "type:uann");
        await say(engine, "other", JOB, "join:ubob");
        const { rev } = await engine.presence.read(TENANT, JOB, 20);
        await data.pass(TTL_MS + 1000);
        const holds = new Map([[JOB, 1]] as const);
        expect(await keep(engine, "slow", { holds })).toEqual([]);
        expect(await keep(engine, "other", { holds })).toEqual([]);
        expect(await engine.presence.read(TENANT, JOB, 20)).toMatchObject({ people: 2, rev });
        await data.pass(TTL_MS + 1000);
        await keep(engine, "slow", { holds });
        expect(await shown(engine, JOB)).toBe("bob ann / ann");
        await data.pass(TTL_MS / 3 + 1000);
        await keep(engine, "slow", { holds });
        expect(await shown(engine, JOB)).toBe("ann / ann");
      },
    );

    test.runIf(subject.capabilities.multiProcess)(
      "people stay for as long as their node calls, and go with it after hours",
      async ({ data, engine }) => {
        await say(engine, "one", JOB, "join:uann");
        await say(engine, "two", JOB, "join:ubob");
        const beat = async (...nodes: string[]) => {
          await data.pass(TTL_MS / 3);
          for (const node of nodes)
            expect(await keep(engine, node, { holds: new Map([[JOB, 1]]) })).toEqual([]);
        };
        for (let beats = 0; beats < 30; beats += 1) await beat("one", "two");
        expect(await shown(engine, JOB)).toBe("bob ann");
        for (let beats = 0; beats < 4; beats += 1) await beat("one");
        expect(await shown(engine, JOB)).toBe("ann");
      },
    );

    test.runIf(subject.capabilities.multiProcess)(
      "people of a node whose clock is ahead came no later than now",
      async ({ engine }) => {
        const ahead = Date.now() + 3_600_000;
        await keep(engine, "ahead", {
          changes: [{ topic: JOB, what: "join", who: "uann", since: ahead }],
        });
        const { newest } = await engine.presence.read(TENANT, JOB, 20);
        expect(newest[0]?.since).toBeLessThan(ahead - 1_800_000);
      },
    );

    test.runIf(subject.capabilities.multiProcess)(
      "people of a node that ended are gone, however late another node calls",
      async ({ data, engine }) => {
        await say(engine, "alive", JOB, "join:ueve");
        await say(engine, "ended", JOB, "join:uann");
        await keep(engine, "ended", { ttlMs: 5000 });
        await data.pass(TTL_MS - 1000);
        await keep(engine, "alive", { holds: new Map([[JOB, 1]]) });
        expect(await shown(engine, JOB)).toBe("eve");
      },
    );

    test("tells the topics where it knows of another number", async ({ engine }) => {
      await say(engine, "one", JOB, "join:uann", "join:g1");
      await say(engine, "one", BATCH, "join:uann");
      await say(engine, "two", JOB, "join:uann");
      const holds = new Map<PresenceTopic, number>([
        [JOB, 2],
        [BATCH, 2],
        ["tenant", 1],
      ]);
      expect(await keep(engine, "one", { holds })).toEqual([BATCH, "tenant"]);
    });

    test("hints of each change that a reader sees, and of nothing else", async ({ engine }) => {
      const heard = await listen(engine, { stream: "presence", tenant: TENANT, topic: JOB });
      const others = [
        await listen(engine, { stream: "presence", tenant: TENANT, topic: BATCH }),
        await listen(engine, { stream: "presence", tenant: "acm", topic: JOB }),
      ];
      let before = 0;
      for (const said of ["join:uann", "join:g1", "type:uann", "stop:uann", "leave:uann"]) {
        await say(engine, "one", JOB, said);
        const { rev } = await engine.presence.read(TENANT, JOB, 20);
        expect(rev).toBeGreaterThan(before);
        before = rev;
        await vi.waitFor(() => expect(heard.count).toBeGreaterThan(0));
        heard.count = 0;
      }
      await say(engine, "one", JOB, "join:g1", "leave:ueve", "end:uann", "stop:uann");
      await keep(engine, "one", { holds: new Map([[JOB, 1]]) });
      expect((await engine.presence.read(TENANT, JOB, 20)).rev).toBe(before);
      await say(engine, "one", JOB, "leave:g1");
      await vi.waitFor(() => expect(heard.count).toBe(1));
      expect(others.map(({ count }) => count)).toEqual([0, 0]);
    });

    test("counts thousands, and names those who came last", async ({ engine }) => {
      const crowd = Array.from({ length: 1500 }, (_, n) => `join:u${String(n).padStart(4, "0")}`);
      await say(engine, "one", JOB, ...crowd, ...crowd.map((each) => each.replace("join", "type")));
      const { people, newest, typing, typists } = await engine.presence.read(TENANT, JOB, 20);
      expect([people, typing, typists.length]).toEqual([1500, 1500, 20]);
      expect(newest.map(({ user }) => user)).toEqual(
        Array.from({ length: 20 }, (_, n) => String(1499 - n)),
      );
    });

    test.runIf(subject.capabilities.multiProcess)(
      "people of a node that says nothing any more are gone after its time",
      async ({ data, engine }) => {
        await say(engine, "dead", JOB, "join:uann", "join:ubob", "type:uann", "type:ueve");
        await say(engine, "dead", BATCH, "join:uann");
        await say(engine, "alive", JOB, "join:ubob");
        const crowd = Array.from({ length: 1200 }, (_, n) => `join:g${n}` as `join:${Who}`);
        await say(engine, "dead", "tenant", ...crowd);
        await data.pass(TTL_MS / 2);
        await keep(engine, "alive", {});
        expect(await shown(engine, JOB)).toBe("bob ann / ann eve");
        await data.pass(TTL_MS / 2 + 1000);
        const heard = await listen(engine, { stream: "presence", tenant: TENANT, topic: JOB });
        await keep(engine, "alive", { holds: new Map([[JOB, 1]]) });
        expect(await shown(engine, JOB)).toBe("bob");
        for (const topic of [BATCH, "tenant"] as const) expect(await shown(engine, topic)).toBe("");
        await vi.waitFor(() => expect(heard.count).toBe(1));
        // It was only slow: it says so again.
        expect(await keep(engine, "dead", { holds: new Map([[JOB, 2]]) })).toEqual([JOB]);
        await say(engine, "dead", JOB, "reset", "join:uann", "join:ubob", "settle");
        expect(await shown(engine, JOB)).toBe("bob ann");
      },
    );
  });
}
