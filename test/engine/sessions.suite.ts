import { describe, expect } from "vitest";
import { MAX_SAVED_SESSIONS, SESSION_KEPT_MS } from "#server/engine/session-limits.ts";
import type { Engine } from "#server/engine/contract.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import { ANN, BOB } from "./builders.ts";

const HERS = { ...ANN, id: "a-session" };

const whole = (entries: Record<string, number>) => ({
  entries: new Map(Object.entries(entries)),
  whole: true,
});
const change = (entries: Record<string, number | null>) => ({
  entries: new Map(Object.entries(entries)),
  whole: false,
});
const entriesOf = async (engine: Engine, holder: string, session = HERS) => {
  const found = await engine.takeSession(session, holder);
  return found && Object.fromEntries(found.entries);
};

export function sessionsSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("sessions", () => {
    test("there is none before it is saved, and no change makes one", async ({ engine }) => {
      expect(await engine.takeSession(HERS, "one")).toBeUndefined();
      expect(await engine.saveSession(HERS, "one", change({ a: 1 }))).toBe("missing");
      expect(await engine.takeSession(HERS, "one")).toBeUndefined();
    });

    test("what was saved is there, with each change, and says who held it", async ({ engine }) => {
      expect(await engine.saveSession(HERS, "one", whole({ a: 0, b: 7, c: 1 }))).toBe("saved");
      expect(await engine.saveSession(HERS, "one", change({ b: 8, c: null, d: 0 }))).toBe("saved");
      expect(await engine.takeSession(HERS, "two")).toEqual({
        holder: "one",
        entries: new Map(Object.entries({ a: 0, b: 8, d: 0 })),
      });
      expect(await engine.saveSession(HERS, "two", whole({ e: 2 }))).toBe("saved");
      expect(await entriesOf(engine, "three")).toEqual({ e: 2 });
    });

    test("names are any text, those of its own fields too", async ({ engine }) => {
      const names = ["holder", "before", "=holder", "job:1", "ü 😀", "__proto__", ""];
      const entries = new Map(names.map((name, index) => [name, index]));
      await engine.saveSession(HERS, "one", { entries, whole: true });
      expect(await engine.takeSession(HERS, "two")).toEqual({ holder: "one", entries });
    });

    test("a session without entries is one", async ({ engine }) => {
      await engine.saveSession(HERS, "one", whole({ a: 1 }));
      await engine.saveSession(HERS, "one", change({ a: null }));
      expect(await entriesOf(engine, "two")).toEqual({});
    });

    test("is that of its owner alone", async ({ engine }) => {
      await engine.saveSession(HERS, "one", whole({ a: 1 }));
      for (const other of [
        { ...BOB, id: HERS.id },
        { ...ANN, tenant: "other", id: HERS.id },
      ]) {
        expect(await engine.takeSession(other, "two")).toBeUndefined();
        expect(await engine.saveSession(other, "two", change({ a: 2 }))).toBe("missing");
        await engine.endSession(other, "one");
      }
      expect(await engine.saveSession(HERS, "one", change({ b: 1 }))).toBe("saved");
      expect(await entriesOf(engine, "three")).toEqual({ a: 1, b: 1 });
    });

    test("the holder before saves nothing, and ends nothing", async ({ engine }) => {
      await engine.saveSession(HERS, "one", whole({ a: 1 }));
      await engine.takeSession(HERS, "two");
      expect(await engine.saveSession(HERS, "one", change({ a: 2 }))).toBe("taken");
      expect(await engine.saveSession(HERS, "one", whole({ a: 3 }))).toBe("taken");
      await engine.endSession(HERS, "one");
      expect(await engine.takeSession(HERS, "three")).toEqual({
        holder: "two",
        entries: new Map([["a", 1]]),
      });
    });

    test("one that is ended is gone", async ({ engine }) => {
      await engine.saveSession(HERS, "one", whole({ a: 1 }));
      await engine.endSession(HERS, "one");
      expect(await engine.takeSession(HERS, "one")).toBeUndefined();
      expect(await engine.saveSession(HERS, "two", whole({ b: 1 }))).toBe("saved");
      expect(await entriesOf(engine, "two")).toEqual({ b: 1 });
    });

    test("is kept for its time after it was saved or taken, and no longer", async ({
      data,
      engine,
    }) => {
      const almost = SESSION_KEPT_MS - 60_000;
      await engine.saveSession(HERS, "one", whole({ a: 1 }));
      await data.pass(almost);
      expect(await engine.saveSession(HERS, "one", change({}))).toBe("saved");
      await data.pass(almost);
      expect(await entriesOf(engine, "two")).toEqual({ a: 1 });
      await data.pass(almost);
      expect(await engine.saveSession(HERS, "two", change({}))).toBe("saved");
      await data.pass(SESSION_KEPT_MS);
      expect(await engine.takeSession(HERS, "three")).toBeUndefined();
      expect(await engine.saveSession(HERS, "two", change({ b: 1 }))).toBe("missing");
      // Another owner may use the same id, and finds an empty session.
      expect(await engine.saveSession(HERS, "four", whole({ c: 1 }))).toBe("saved");
      expect(await entriesOf(engine, "five")).toEqual({ c: 1 });
    });

    test("survives closing and opening", async ({ data, engine }) => {
      await engine.saveSession(HERS, "one", whole({ a: 1, b: 2 }));
      await engine.close();
      expect(await entriesOf(await data.open(), "two")).toEqual({ a: 1, b: 2 });
    });

    test("of too many the one goes that its tenant saved the longest ago", async ({
      data,
      engine,
    }) => {
      const other = { ...ANN, tenant: "other", id: "another" };
      await engine.saveSession(other, "one", whole({ a: 1 }));
      await engine.saveSession(HERS, "one", whole({ a: 1 }));
      const second = { ...BOB, id: "second" };
      await engine.saveSession(second, "one", whole({ a: 1 }));
      await data.pass(1000);
      const fill = async (from: number, to: number) => {
        const more = Array.from({ length: to - from }, (_, index) => `more-${from + index}`);
        await Promise.all(
          more.map((id) => engine.saveSession({ ...ANN, id }, "one", whole({ a: 1 }))),
        );
      };
      await fill(2, MAX_SAVED_SESSIONS);
      expect(await engine.saveSession(HERS, "one", change({ b: 1 }))).toBe("saved");
      await fill(MAX_SAVED_SESSIONS, MAX_SAVED_SESSIONS + 1);
      expect(await engine.takeSession(second, "two")).toBeUndefined();
      expect(await entriesOf(engine, "two")).toEqual({ a: 1, b: 1 });
      expect(await entriesOf(engine, "two", other)).toEqual({ a: 1 });
    });
  });
}
