/** Which workers there are, and what they are told. */
import { describe, expect, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { at, newWorker } from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

const TTL_MS = 10_000;

async function idsOf(engine: Engine): Promise<string[]> {
  return (await engine.workers.list({ limit: 100 })).items.map(({ id }) => id);
}

export function workersSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("workers", () => {
    test("[O1] a worker is there until its time is over, or longer when it says so again", async ({
      data,
      engine,
    }) => {
      const [a, b, c] = [newWorker({ id: "a" }), newWorker({ id: "b" }), newWorker({ id: "c" })];
      expect([await idsOf(engine), await engine.workers.count()]).toEqual([[], 0]);
      await engine.workers.announce(b, TTL_MS);
      await engine.workers.announce(a, 2 * TTL_MS);
      await data.pass(9000);
      expect(await idsOf(engine)).toEqual(["a", "b"]);
      await engine.workers.announce(b, TTL_MS);
      await data.pass(9000);
      expect(await idsOf(engine)).toEqual(["a", "b"]);
      await data.pass(2000);
      expect([await idsOf(engine), await engine.workers.count()]).toEqual([[], 0]);
      expect(await engine.workers.get("a")).toBeUndefined();
      await engine.workers.announce(c, TTL_MS);
      expect([await idsOf(engine), await engine.workers.count()]).toEqual([["c"], 1]);
      await engine.workers.announce(c, 0);
      expect([await idsOf(engine), await engine.workers.count()]).toEqual([[], 0]);
    });

    test("[O1] what a worker told last is read as it was told", async ({ engine }) => {
      const worker = newWorker({ id: "w", running: 1 });
      worker.jobs.push({ id: "j", kind: "ü", tenant: "a b", attempt: 2, since: at(5) });
      await engine.workers.announce(newWorker({ id: "w" }), TTL_MS);
      await engine.workers.announce(worker, TTL_MS);
      expect(await engine.workers.get("w")).toEqual({ ...worker, order: undefined });
      const { items } = await engine.workers.list({ limit: 1 });
      expect(items).toEqual([{ ...worker, order: undefined }]);
    });

    test("[O2] the list is read in pages, also while workers come and go", async ({ engine }) => {
      const ids = Array.from({ length: 25 }, (_, n) => `w${n + 10}`);
      for (const id of ids.toReversed()) await engine.workers.announce(newWorker({ id }), TTL_MS);
      const first = await engine.workers.list({ limit: 10 });
      expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 10));
      await engine.workers.announce(newWorker({ id: first.nextCursor ?? "" }), 0);
      await engine.workers.announce(newWorker({ id: "w205" }), TTL_MS);
      const cursor = first.nextCursor ?? undefined;
      const second = await engine.workers.list({ cursor, limit: 20 });
      expect(second.items.map(({ id }) => id)).toEqual(
        [...ids.slice(10), "w205"].toSorted().slice(0, 20),
      );
      expect(second.nextCursor).toBeNull();
    });

    test("[O4] a worker hears of its orders and of no other's, and keeps the newest", async ({
      data,
      engine,
    }) => {
      await engine.workers.announce(newWorker({ id: "a" }), TTL_MS);
      await engine.workers.announce(newWorker({ id: "b" }), TTL_MS);
      const [heardA, heardB] = [vi.fn<() => void>(), vi.fn<() => void>()];
      const leave = await engine.workers.onOrder("a", heardA);
      await engine.workers.onOrder("b", heardB);
      expect(await engine.workers.order("a", "drain")).toBe(true);
      await vi.waitFor(() => expect(heardA).toHaveBeenCalledOnce());
      expect(await engine.workers.announce(newWorker({ id: "a" }), TTL_MS)).toBe("drain");
      expect(await engine.workers.announce(newWorker({ id: "b" }), TTL_MS)).toBeUndefined();
      expect(await engine.workers.get("a")).toMatchObject({ order: "drain" });
      // It was cut off for longer than its announcement held.
      await data.pass(2 * TTL_MS);
      expect(await engine.workers.order("a", "run")).toBe(false);
      expect(await engine.workers.announce(newWorker({ id: "a" }), TTL_MS)).toBe("drain");
      leave();
      expect(await engine.workers.order("a", "run")).toBe(true);
      await engine.workers.announce(newWorker({ id: "b" }), TTL_MS);
      expect(await engine.workers.order("b", "drain")).toBe(true);
      await vi.waitFor(() => expect(heardB).toHaveBeenCalledOnce());
      expect(heardA).toHaveBeenCalledOnce();
      expect(await engine.workers.announce(newWorker({ id: "a" }), TTL_MS)).toBe("run");
    });

    test("[O4] a worker that is not there gets no order", async ({ engine }) => {
      expect(await engine.workers.order("gone", "drain")).toBe(false);
      expect(await engine.workers.announce(newWorker({ id: "gone" }), TTL_MS)).toBeUndefined();
    });
  });
}
