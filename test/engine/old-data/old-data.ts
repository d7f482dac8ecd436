/**
 * What stored data of the version before actors, audit lists and details promise. Both files hold the same: job 1 was approved, 2 and 3
 * belong to batch 9, and 2 is cancelled.
 */
import { expect } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { ANN, at, logOf } from "#test/engine/builders.ts";

const idOf = (n: number) => `0198c5a0-0000-7000-8000-00000000000${n}`;

export async function goesOnFromOldData(engine: Engine): Promise<void> {
  const before = await logOf(engine, idOf(1));
  expect(before.map(({ type }) => type)).toEqual([
    "created",
    "started",
    "progress",
    "blocked",
    "approved",
  ]);
  for (const event of [...before, await engine.getJob(idOf(1))]) {
    expect(event).not.toHaveProperty("actor");
    expect(event).not.toHaveProperty("details");
  }
  expect(await engine.readLines(idOf(1), 0, 9)).toMatchObject({ lines: [], head: 0 });
  expect(await engine.audit.list({ tenant: "acme", limit: 9 })).toEqual({
    items: [],
    nextCursor: null,
  });
  expect(await engine.getBatch(idOf(9))).toMatchObject({ counts: { PENDING: 1, ABORTED: 1 } });
  const actor = { user: "ann", via: "token" } as const;
  const audit = {
    at: at(9),
    action: "job.retry",
    target: idOf(2),
    actor: { ...actor, credential: null },
  } as const;
  await engine.change(idOf(2), { action: "retry", actor, audit }, at(9));
  expect((await logOf(engine, idOf(2))).map((event) => event.actor)).toEqual([
    undefined,
    undefined,
    actor,
  ]);
  await engine.change(idOf(2), { action: "start", progress: 0, message: "Begun" }, at(9));
  const report = { action: "progress", progress: 1, message: "One", details: { done: 1 } } as const;
  const { event } = await engine.change(idOf(2), report, at(9));
  expect((await logOf(engine, idOf(2))).at(-1)).toEqual(event);
  expect(await engine.getJob(idOf(2))).toMatchObject({ details: { done: 1 } });
  await engine.audit.append("acme", { ...audit, actor: COMMAND_ACTOR });
  expect((await engine.audit.list({ tenant: "acme", limit: 9 })).items).toMatchObject([
    { actor: COMMAND_ACTOR },
    audit,
  ]);
  expect((await engine.listJobs({ ...ANN, limit: 9 })).items.map(({ id }) => id)).toEqual(
    [3, 2, 1].map(idOf),
  );
}
