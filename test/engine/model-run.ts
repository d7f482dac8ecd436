/** Runs random commands on the engine and on the model, and compares their answers. */
import { deepStrictEqual as same, ok } from "node:assert/strict";
import fc from "fast-check";
import type { ClaimRef, Engine } from "#server/engine/contract.ts";
import { emptyCounts } from "#shared/batch.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import type { OwnerFilter } from "#shared/principal.ts";
import type { EngineData } from "./engine.fixture.ts";
import {
  ANN,
  at,
  BLOCK,
  BOB,
  codeOf,
  DELIVER,
  draftOf,
  FAIL,
  logOf,
  newBatch,
  newId,
  newJob,
  release,
  START,
} from "./builders.ts";
import { createModel, type Model, type ModelJob } from "./model.ts";

/** Times of the model are minutes. On an engine whose clock goes on by itself, a slow machine takes seconds for the commands. */
const MINUTE_MS = 60_000;
const LEASE_MS = 10 * MINUTE_MS;

/** The start of a job in a claim. */
const BEGIN = { progress: 3, message: "Taken and started" };

const pick = fc.nat({ max: 1000 });
const change = fc.oneof(
  fc.constantFrom<JobChange>(
    START,
    DELIVER,
    BLOCK,
    FAIL,
    { action: "cancel" },
    { action: "approve", note: "good" },
    { action: "reject" },
    { action: "retry" },
    { action: "regenerate" },
    release(),
    release(5 * MINUTE_MS, false),
  ),
  fc
    .record({
      progress: fc.integer({ min: 0, max: 100 }),
      details: fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined }),
    })
    .map(({ progress, details }): JobChange => ({
      action: "progress",
      progress,
      message: `${progress}`,
      details,
    })),
);

/** `pick` chooses among the existing items at that moment. */
export const command = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("create" as const), bob: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("batch" as const),
      size: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("claim" as const),
      max: fc.integer({ min: 1, max: 3 }),
      start: fc.boolean(),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("work" as const), pick, change }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("manage" as const), pick, change }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("write" as const), pick, text: fc.string() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("renew" as const), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("wait" as const), minutes: fc.constantFrom(1, 4, 11) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
);
export type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

export class ModelRun {
  readonly model: Model = createModel();
  readonly batches: string[] = [];
  /** All claims so far, also those that were lost. */
  readonly claims: ClaimRef[] = [];
  engine: Engine;
  readonly #data: EngineData;
  #now = 0;

  constructor(engine: Engine, data: EngineData) {
    this.engine = engine;
    this.#data = data;
  }

  async step(command: Command): Promise<void> {
    const now = at((this.#now += 0.001));
    switch (command.do) {
      case "create": {
        const job = newJob(command.bob ? BOB : ANN);
        this.model.create(job, now);
        await this.engine.createJob(job, now);
        return;
      }
      case "batch": {
        const { batch, jobs } = newBatch(command.size);
        for (const job of jobs) this.model.create(job, now);
        this.batches.push(batch.id);
        await this.engine.createBatch(batch, jobs, now);
        return;
      }
      case "claim":
        return this.#claim(command, now);
      case "work": {
        const claim = this.#claimAt(command.pick, now);
        if (claim) await this.#change(claim.jobId, command.change, now, claim);
        return;
      }
      case "manage": {
        const { jobs } = this.model;
        const jobId = jobs[command.pick % (jobs.length + 1)]?.job.id ?? newId();
        return this.#change(jobId, command.change, now);
      }
      case "write": {
        const claim = this.#claimAt(command.pick, now);
        if (!claim) return;
        const expected = await codeOf((async () => this.model.append(claim, command.text))());
        same(await codeOf(this.engine.appendDraft(claim, command.text)), expected);
        return;
      }
      case "renew": {
        const claim = this.#claimAt(command.pick, now);
        if (!claim) return;
        const holds = this.#entry(claim)?.held?.token === claim.token;
        if (holds) this.model.take(claim, new Date(now.getTime() + LEASE_MS));
        same(await this.engine.renew([claim], LEASE_MS, now), holds ? [] : [claim]);
        return;
      }
      case "wait":
        this.#now += command.minutes * 60;
        return this.#data.pass(command.minutes * MINUTE_MS);
      case "reopen":
        await this.engine.close();
        this.engine = await this.#data.open();
        if (!this.engine.capabilities.multiProcess) this.model.restart();
    }
  }

  async #claim({ max, start }: { max: number; start: boolean }, now: Date): Promise<void> {
    const [waiting, lost] = [this.model.waiting(now), this.model.lost(now)];
    const request = { worker: "w", max, leaseMs: LEASE_MS, now };
    const claims = await this.engine.claim(start ? { ...request, start: () => BEGIN } : request);
    same(claims.length, Math.min(max, waiting.length + lost.length));
    const given = claims.map(({ jobId }) => jobId);
    const lostIds = lost.map(({ job }) => job.id);
    const fromQueue = given.filter((jobId) => !lostIds.includes(jobId));
    const ids = waiting.map(({ job }) => job.id);
    // `queue-model.ts` has the order.
    ok(fromQueue.every((jobId) => ids.includes(jobId)));
    for (const { jobId, token, job, started } of claims) {
      const claim = { jobId, token };
      same(started !== null, start && this.#entry(claim)?.job.status === "PENDING");
      if (started) this.model.change(jobId, { action: "start", ...BEGIN }, now);
      same(job, this.#entry(claim)?.job);
      if (started) same(started, this.#entry(claim)?.log.at(-1));
      ok(!this.claims.some((other) => other.jobId === jobId && other.token === token));
      this.claims.push(claim);
      this.model.take(claim, new Date(now.getTime() + LEASE_MS));
    }
  }

  /** An earlier claim, held or lost. Never one whose lease has just ended: engines may accept it until the job is claimed anew. */
  #claimAt(pick: number, now: Date): ClaimRef | undefined {
    // Half of the time a recent claim, which is more often still held.
    const among = pick % 2 === 0 ? this.claims.slice(-3) : this.claims;
    const claim = among[pick % Math.max(1, among.length)];
    const held = claim && this.#entry(claim)?.held;
    return held && held.token === claim.token && held.until <= now.getTime() ? undefined : claim;
  }

  #entry({ jobId }: { jobId: string }): ModelJob | undefined {
    return this.model.jobs.find(({ job }) => job.id === jobId);
  }

  async #change(jobId: string, change: JobChange, now: Date, claim?: ClaimRef): Promise<void> {
    const expected = await codeOf((async () => this.model.change(jobId, change, now, claim))());
    same(await codeOf(this.engine.change(jobId, change, now, claim)), expected);
  }

  async compare(): Promise<void> {
    const { engine, model } = this;
    for (const { job, log, draft } of model.jobs) {
      same(await engine.getJob(job.id), job);
      same(await logOf(engine, job.id), log);
      same(
        log.map(({ seq }) => seq),
        log.map((_, index) => index + 1),
      );
      same(await draftOf(engine, job.id), draft.text);
      same((await engine.readDraft(job.id, 0))?.head, draft.head);
    }
    for (const batchId of this.batches) {
      same((await engine.getBatch(batchId))?.counts, {
        ...emptyCounts(),
        ...model.counts(batchId),
      });
    }
    let newest = 0;
    for (const of of [{ tenant: ANN.tenant }, ANN, BOB] as OwnerFilter[]) {
      const mine = model.jobs.filter(({ job }) => [undefined, job.owner].includes(of.owner));
      const listed = await engine.listJobs({ ...of, limit: 1000 });
      same(
        listed.items.map(({ id }) => id),
        mine.toReversed().map(({ job }) => job.id),
      );
      const { changes, head } = await engine.readFeed(of, 0, 1000);
      const inOrder = mine.toSorted((a, b) => a.changedAt - b.changedAt);
      same(
        changes.map(({ job }) => job.id),
        inOrder.map(({ job }) => job.id),
      );
      if (of.owner === undefined) newest = head;
      same(head, changes.at(-1)?.rev ?? newest);
      same(listed.feed, head);
    }
  }
}
