/** Mirrored jobs, which nothing claims, and what their mirrors store. */
import { describe, expect, vi } from "vitest";
import type { Engine, MirrorRef } from "#server/engine/contract.ts";
import type { JobChange, NewJob } from "#shared/lifecycle.ts";
import { MAX_LOG_LINES } from "#shared/limits.ts";
import {
  ANN,
  at,
  codeOf,
  DELIVER,
  LEASE_MS,
  logOf,
  newBatch,
  newId,
  newJob,
  START,
} from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

const MIRROR: MirrorRef = { name: "bullmq:mail", tenant: ANN.tenant };
const outside = (position: string, more: object = {}) => ({
  position,
  details: { id: "7", ...more },
});

function mirrored(given: Partial<NewJob> = {}): NewJob {
  return newJob({
    kind: MIRROR.name,
    outside: { ...outside("1-0"), message: "Waiting" },
    ...given,
  });
}

const by = (position: string, change: JobChange, more: object = {}): JobChange => ({
  ...change,
  outside: { ...outside(position), ...more },
});
const REQUEUE: JobChange = { action: "requeue", message: "Again" };
const REMOVE: JobChange = { action: "remove", message: "Gone" };

async function claimed(engine: Engine): Promise<string[]> {
  const claims = await engine.claim({ worker: "w", max: 10, leaseMs: LEASE_MS, now: at(9) });
  return claims.map(({ jobId }) => jobId);
}

const line = (message: string) => ({ at: at(1), level: "info" as const, message });

export function mirrorsSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("mirrored jobs", () => {
    test("[X5] no claim gives them, in any state, and they do not count as waiting", async ({
      data,
      engine,
    }) => {
      const { id } = await engine.createJob(mirrored(), at(0));
      const running = await engine.createJob(mirrored(), at(0));
      await engine.change(running.id, by("2-0", START), at(1));
      const released = await engine.createJob(mirrored(), at(0));
      await engine.change(released.id, by("2-0", START), at(1));
      const release: JobChange = { action: "release", message: "m", delayMs: 0, counts: false };
      await engine.change(released.id, by("3-0", release), at(1));
      const again = await engine.createJob(mirrored(), at(0));
      await engine.change(again.id, by("2-0", REQUEUE), at(1));
      expect(await engine.usage(ANN.tenant)).toMatchObject({ waitingJobs: 0 });
      expect(await engine.waiting(id)).toBeUndefined();
      const own = await engine.createJob(newJob(), at(0));
      expect(await claimed(engine)).toEqual([own.id]);
      expect(await engine.usage(ANN.tenant)).toMatchObject({ waitingJobs: 1 });
      await engine.change(id, by("4-0", REMOVE), at(1));
      expect(await engine.usage(ANN.tenant)).toMatchObject({ waitingJobs: 1 });
      await engine.change(own.id, { action: "cancel" }, at(1));
      await engine.close();
      await data.pass(2 * LEASE_MS);
      const reopened = await data.open();
      expect(await claimed(reopened)).toEqual([]);
      const { items } = await reopened.listJobs({ ...ANN, kind: MIRROR.name, limit: 9 });
      expect(items.map(({ status }) => status)).toEqual([
        "PENDING",
        "PENDING",
        "PROCESSING",
        "ABORTED",
      ]);
    });

    test("[X1] they go through ended states again, and each event has the details of its change", async ({
      engine,
    }) => {
      const { id } = await engine.createJob(mirrored(), at(0));
      await engine.change(
        id,
        by("2-0", REQUEUE, { details: { id: "7", state: "delayed" } }),
        at(1),
      );
      await engine.change(id, by("3-0", START), at(2));
      await engine.change(id, by("4-0", DELIVER), at(3));
      await engine.change(id, by("5-0", REQUEUE), at(4));
      expect(await engine.getJob(id)).toMatchObject({
        status: "PENDING",
        output: null,
        finishedAt: null,
      });
      await engine.change(id, by("6-0", REMOVE, { gap: true }), at(5));
      expect(await engine.getJob(id)).toMatchObject({
        error: { code: "REMOVED", message: "Gone" },
      });
      const log = await logOf(engine, id);
      expect(log.map(({ type, details, gap }) => [type, details, gap])).toEqual([
        ["created", { id: "7", position: "1-0" }, undefined],
        ["requeued", { id: "7", state: "delayed", position: "2-0" }, undefined],
        ["started", { id: "7", position: "3-0" }, undefined],
        ["delivered", { id: "7", position: "4-0" }, undefined],
        ["requeued", { id: "7", position: "5-0" }, undefined],
        ["aborted", { id: "7", position: "6-0", gap: true }, true],
      ]);
      await engine.change(id, by("7-0", REQUEUE), at(6));
      expect(await engine.getJob(id)).toMatchObject({ status: "PENDING", error: null });
      // Neither is among those that are deleted for their age.
      expect(await engine.prune(at(100), 9)).toBe(0);
    });

    test("[X2] a change counts once: its position is later than the newest one", async ({
      engine,
    }) => {
      const { id } = await engine.createJob(mirrored(), at(0));
      const start = by("10-2.3", START);
      const all = await Promise.allSettled([1, 2, 3].map(() => engine.change(id, start, at(1))));
      expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const position of ["10-2.3", "10-2", "10-1.9", "9-99"]) {
        expect(await codeOf(engine.change(id, by(position, DELIVER), at(2)))).toBe(
          "ILLEGAL_TRANSITION",
        );
      }
      await engine.change(id, by("10-10", DELIVER), at(2));
      expect(await logOf(engine, id)).toHaveLength(3);
    });

    test("[X5] they change by their mirrors alone, and others not by these", async ({ engine }) => {
      const { id } = await engine.createJob(mirrored(), at(0));
      for (const change of [START, { action: "cancel" }, REMOVE] as JobChange[]) {
        expect(await codeOf(engine.change(id, change, at(1)))).toBe("ILLEGAL_TRANSITION");
      }
      const own = await engine.createJob(newJob(), at(0));
      expect(await codeOf(engine.change(own.id, by("2-0", START), at(1)))).toBe(
        "ILLEGAL_TRANSITION",
      );
      const [one, other] = [
        mirrored({ outside: undefined }),
        newJob({ outside: mirrored().outside }),
      ];
      for (const job of [one, other]) {
        expect(await codeOf(engine.createJob(job, at(0)))).toBe("BAD_REQUEST");
      }
      const { batch, jobs } = newBatch(1);
      const member = { ...jobs[0], kind: MIRROR.name, outside: mirrored().outside } as NewJob;
      expect(await codeOf(engine.createBatch(batch, [member], at(0)))).toBe("BAD_REQUEST");
    });

    test("[X2] one process has a mirror, until its lease ends or it gives it back", async ({
      data,
      engine,
    }) => {
      const { mirrors } = engine;
      const hold = (holder: string, position?: string) =>
        mirrors.hold({ mirror: MIRROR, holder, leaseMs: LEASE_MS, position });
      expect(await hold("one")).toEqual({ position: null });
      expect(await hold("two", "9-0")).toBeUndefined();
      expect(await hold("one", "5-1")).toEqual({ position: "5-1" });
      await mirrors.release(MIRROR, "two");
      expect(await hold("two")).toBeUndefined();
      await mirrors.release(MIRROR, "one");
      expect(await hold("two")).toEqual({ position: "5-1" });
      const elsewhere = { ...MIRROR, tenant: "other" };
      const there = { mirror: elsewhere, holder: "one", leaseMs: LEASE_MS };
      expect(await mirrors.hold({ ...there, position: "1-0" })).toEqual({ position: "1-0" });
      const other = { ...MIRROR, name: "bullmq:other" };
      expect(await mirrors.hold({ mirror: other, holder: "one", leaseMs: 1 })).toEqual({
        position: null,
      });
      await data.pass(2 * LEASE_MS);
      await vi.waitFor(async () => expect(await hold("three")).toEqual({ position: "5-1" }));
    });

    test("[X2] a job stands for one of the queue until it is forgotten", async ({
      data,
      engine,
    }) => {
      const { mirrors } = engine;
      const [a, b] = [newId(), newId()];
      expect(await mirrors.find(MIRROR, [])).toEqual([]);
      expect(await mirrors.bind(MIRROR, "=1", a)).toBe(a);
      expect(await mirrors.bind(MIRROR, "=1", b)).toBe(a);
      expect(await mirrors.bind(MIRROR, "=2", b)).toBe(b);
      expect(await mirrors.find(MIRROR, ["=2", "=3", "=1"])).toEqual([b, undefined, a]);
      expect(await mirrors.find({ ...MIRROR, name: "bullmq:other" }, ["=1"])).toEqual([undefined]);
      expect(await mirrors.find({ ...MIRROR, tenant: "other" }, ["=1"])).toEqual([undefined]);
      await mirrors.unbind(MIRROR, []);
      await mirrors.unbind(MIRROR, ["=1", "=3"]);
      await engine.close();
      const again = await data.open();
      expect(await again.mirrors.find(MIRROR, ["=1", "=2"])).toEqual([undefined, b]);
    });

    test("[X1] lines are appended once, in every state, and the newest are kept", async ({
      engine,
    }) => {
      const { mirrors } = engine;
      const { id } = await engine.createJob(mirrored(), at(0));
      expect(await mirrors.appendLines(id, 0, [])).toBe(0);
      expect(await mirrors.appendLines(id, 0, [line("a"), line("b")])).toBe(2);
      expect(await mirrors.appendLines(id, 0, [line("a"), line("b")])).toBe(2);
      await engine.change(id, by("2-0", START), at(1));
      await engine.change(id, by("3-0", DELIVER), at(1));
      expect(await mirrors.appendLines(id, 2, [line("c")])).toBe(3);
      expect((await engine.readLines(id, 0, 9))?.lines).toEqual([
        { seq: 1, at: at(1), attempt: 0, level: "info", message: "a" },
        { seq: 2, at: at(1), attempt: 0, level: "info", message: "b" },
        { seq: 3, at: at(1), attempt: 1, level: "info", message: "c" },
      ]);
      const many = Array.from({ length: MAX_LOG_LINES }, (_, n) => line(`${n}`));
      expect(await mirrors.appendLines(id, 3, many)).toBe(MAX_LOG_LINES + 3);
      expect(await engine.readLines(id, 0, 1)).toMatchObject({ lines: [{ seq: 4 }] });
      expect(await codeOf(mirrors.appendLines(newId(), 0, [line("x")]))).toBe("NOT_FOUND");
    });
  });
}
