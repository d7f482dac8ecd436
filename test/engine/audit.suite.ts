/** Actors of events, and the audit lists. */
import { describe, expect } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import type { Actor } from "#shared/actor.ts";
import type { AuditEntry } from "#shared/audit.ts";
import {
  at,
  BLOCK,
  BOB,
  claimOne,
  codeOf,
  logOf,
  newBatch,
  newId,
  newJob,
  START,
  STEP,
} from "./builders.ts";
import { AUDIT_ENTRIES, engineTest, type EngineUnderTest } from "./engine.fixture.ts";

const ANN: Actor = { user: "ann", via: "token" };
const REVIEWER: Actor = { user: 'ü 😀 "x"', via: "sign-in" };

function entryOf(target: string, given: Partial<AuditEntry> = {}): AuditEntry {
  const actor = { ...ANN, credential: "jti-1" };
  return { at: at(0), action: "job.create", target, actor, ...given };
}
const list = async (engine: Engine, tenant = "acme") =>
  (await engine.audit.list({ tenant, limit: 1000 })).items.map(({ n: _n, ...entry }) => entry);
const targets = async (engine: Engine, tenant = "acme") =>
  (await list(engine, tenant)).map(({ target }) => target);

export function auditSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("actors", () => {
    test("[P16] the log keeps the actor of each event that a caller caused, and none of the others", async ({
      data,
      engine,
    }) => {
      const job = newJob({ actor: ANN });
      await engine.createJob(job, at(0));
      const claim = await claimOne(engine, at(0));
      await engine.change(job.id, START, at(0), claim);
      await engine.change(job.id, STEP, at(0), claim);
      await engine.change(job.id, BLOCK, at(0), claim);
      const { event } = await engine.change(
        job.id,
        { action: "regenerate", actor: REVIEWER },
        at(1),
      );
      expect(event.actor).toEqual(REVIEWER);
      // Without an actor, as an older version does.
      await engine.change(job.id, { action: "cancel" }, at(1));

      const stored = await logOf(engine, job.id);
      expect(stored.map(({ type, actor }) => [type, actor])).toEqual([
        ["created", ANN],
        ["started", undefined],
        ["progress", undefined],
        ["blocked", undefined],
        ["requeued", REVIEWER],
        ["aborted", undefined],
      ]);
      expect(stored[4]).toEqual(event);
      // The same fields as before there were actors: watchers compare entries.
      for (const each of stored) expect("actor" in each).toBe(each.actor !== undefined);
      await engine.close();
      expect(await logOf(await data.open(), job.id)).toEqual(stored);
    });

    test("[P16] every job of a batch has the actor of the batch", async ({ engine }) => {
      const { batch, jobs } = newBatch(3);
      await engine.createBatch(
        batch,
        jobs.map((job) => ({ ...job, actor: ANN })),
        at(0),
      );
      const logs = await Promise.all(jobs.map(({ id }) => logOf(engine, id)));
      expect(logs.flat().map(({ actor }) => actor)).toEqual([ANN, ANN, ANN]);
    });
  });

  describe("the audit list", () => {
    test("[P17] an entry is stored with the job, the batch or the change that it is about", async ({
      data,
      engine,
    }) => {
      const job = newJob();
      const created = entryOf(job.id);
      const answer = await engine.createJob({ ...job, audit: created }, at(0));
      expect(answer).not.toHaveProperty("audit");
      expect(await engine.getJob(job.id)).toEqual(answer);
      const { batch, jobs } = newBatch(3);
      const whole = entryOf(batch.id, { action: "batch.create", at: at(1.234) });
      expect(await engine.createBatch({ ...batch, audit: whole }, jobs, at(1))).not.toHaveProperty(
        "audit",
      );
      const ended = entryOf(job.id, {
        action: "job.cancel",
        actor: { ...REVIEWER, credential: null },
      });
      await engine.change(job.id, { action: "cancel", audit: ended }, at(2));
      expect(await list(engine)).toEqual([ended, whole, created]);
      expect(await list(engine, "bakery")).toEqual([]);
      await engine.close();
      expect(await list(await data.open())).toEqual([ended, whole, created]);
    });

    test("[P17] a change that is refused, or stores nothing, leaves no entry", async ({
      engine,
    }) => {
      const job = newJob({ idempotencyKey: "k" });
      await engine.createJob({ ...job, audit: entryOf("first") }, at(0));
      const again = newJob({ idempotencyKey: "k" });
      await engine.createJob({ ...again, audit: entryOf("again") }, at(0));
      const { batch, jobs } = newBatch(2, { idempotencyKey: "k" });
      await engine.createBatch({ ...batch, audit: entryOf("batch") }, jobs, at(0));
      const other = newBatch(2, { idempotencyKey: "k" });
      await engine.createBatch({ ...other.batch, audit: entryOf("again") }, other.jobs, at(0));
      const refused = [
        engine.change(job.id, { action: "approve", audit: entryOf("no") }, at(1)),
        engine.change(newId(), { action: "cancel", audit: entryOf("no") }, at(1)),
        engine.createJob({ ...newJob({ batchId: newId() }), audit: entryOf("no") }, at(1)),
        engine.createJob({ ...newJob({ input: () => 1 }), audit: entryOf("no") }, at(1)),
        engine.createBatch({ ...newBatch(0).batch, audit: entryOf("no") }, [], at(1)),
      ];
      const codes = await Promise.all(refused.map(codeOf));
      expect(codes.every((code) => code !== undefined)).toBe(true);
      expect(await targets(engine)).toEqual(["batch", "first"]);
    });

    test("[P17] of changes that exclude each other, the one that was made has its entry", async ({
      engine,
    }) => {
      const job = newJob();
      await engine.createJob(job, at(0));
      const claim = await claimOne(engine, at(0));
      await engine.change(job.id, START, at(0), claim);
      await engine.change(job.id, BLOCK, at(0), claim);
      const actions = ["approve", "reject", "regenerate", "cancel"] as const;
      const made = await Promise.allSettled(
        actions.map((action) =>
          engine.change(
            job.id,
            { action, actor: { user: action, via: "token" }, audit: entryOf(action) },
            at(1),
          ),
        ),
      );
      const expected = actions.filter((_, index) => made[index]?.status === "fulfilled");
      expect(await targets(engine)).toEqual(expected.toReversed());
      const log = await logOf(engine, job.id);
      expect(log.slice(3).map(({ actor }) => actor?.user)).toEqual(expected);
    });

    test("is read newest first, in pages, and each tenant has its own", async ({ engine }) => {
      // Tenants whose names are near each other, or hold what separates keys.
      const tenants = ["acme", "acme2", "ü :{x}"];
      for (const n of [1, 2, 3, 4, 5]) {
        for (const tenant of tenants) await engine.audit.append(tenant, entryOf(`${tenant} ${n}`));
      }
      for (const tenant of tenants) {
        const all = [5, 4, 3, 2, 1].map((n) => `${tenant} ${n}`);
        expect(await targets(engine, tenant)).toEqual(all);
        const first = await engine.audit.list({ tenant, limit: 2 });
        await engine.audit.append(tenant, entryOf(`${tenant} 6`));
        const cursor = first.nextCursor ?? undefined;
        const next = await engine.audit.list({ tenant, limit: 3, cursor });
        expect([...first.items, ...next.items].map(({ target }) => target)).toEqual(all);
        expect(next.nextCursor).toBeNull();
        const numbers = [...first.items, ...next.items].map(({ n }) => n);
        expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
      }
      const bad = engine.audit.list({ tenant: "acme", cursor: "0-1", limit: 2 });
      expect(await codeOf(bad)).toBe("BAD_REQUEST");
    });

    test("[H5] keeps a limited number of a tenant's entries, and the oldest go first", async ({
      engine,
    }) => {
      await engine.audit.append("bakery", entryOf("other"));
      for (const name of ["a", "b", "c"]) await engine.audit.append("acme", entryOf(name));
      const more = Array.from({ length: AUDIT_ENTRIES - 3 }, () => entryOf("more"));
      await Promise.all(more.map((entry) => engine.audit.append("acme", entry)));
      const oldest = async () => {
        const { items } = await engine.audit.list({ tenant: "acme", limit: AUDIT_ENTRIES + 9 });
        return { count: items.length, last: items.at(-1)?.target };
      };
      expect(await oldest()).toEqual({ count: AUDIT_ENTRIES, last: "a" });
      // However an entry comes.
      const job = newJob();
      await engine.createJob({ ...job, audit: entryOf("d") }, at(0));
      expect(await oldest()).toEqual({ count: AUDIT_ENTRIES, last: "b" });
      await engine.change(job.id, { action: "cancel", audit: entryOf("e") }, at(0));
      expect(await oldest()).toEqual({ count: AUDIT_ENTRIES, last: "c" });
      expect(await targets(engine, "bakery")).toEqual(["other"]);
    });

    test("[P17] entries from before a time are deleted, the oldest first, however many jobs are left", async ({
      engine,
    }) => {
      const job = newJob(BOB);
      await engine.createJob({ ...job, audit: entryOf("a", { at: at(1) }) }, at(1));
      for (const [seconds, target] of [
        [2, "b"],
        [3, "c"],
        [4, "d"],
      ] as const) {
        await engine.audit.append("acme", entryOf(target, { at: at(seconds) }));
      }
      await engine.audit.append("bakery", entryOf("x", { at: at(1) }));
      await engine.audit.append("bakery", entryOf("y", { at: at(9) }));
      expect(await engine.audit.prune(at(1), 100)).toBe(0);
      expect(await engine.audit.prune(at(4), 2)).toBe(2);
      let dropped: number;
      let total = 0;
      do total += dropped = await engine.audit.prune(at(4), 2);
      while (dropped > 0);
      expect(total).toBe(2);
      expect(await targets(engine)).toEqual(["d"]);
      expect(await targets(engine, "bakery")).toEqual(["y"]);
      await engine.audit.append("acme", entryOf("e", { at: at(5) }));
      expect(await targets(engine)).toEqual(["e", "d"]);
      expect(await engine.getJob(job.id)).toMatchObject({ status: "PENDING" });
      await engine.audit.prune(at(99), 100);
      await engine.audit.append("acme", entryOf("f"));
      expect(await targets(engine)).toEqual(["f"]);
    });

    test("can be read and written no more once the engine is closed", async ({ engine }) => {
      await engine.close();
      const calls = [
        engine.audit.append("acme", entryOf("x")),
        engine.audit.list({ tenant: "acme", limit: 1 }),
        engine.audit.prune(at(1), 1),
      ];
      expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => "UNAVAILABLE"));
    });
  });
}
