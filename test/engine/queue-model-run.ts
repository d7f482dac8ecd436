/**
 * Runs random commands on an engine and on the model of its queue, and compares whom each claim gives a job, in order.
 *
 * A minute passes with each command, and no two jobs of a tenant have ranks that are equal by chance: where an engine's clock
 * goes on by itself (`multiProcess`), the few seconds that a run takes change no order. Rates let jobs start at whole minutes.
 */
import { deepStrictEqual as same, ok } from "node:assert/strict";
import fc from "fast-check";
import type { Engine } from "#server/engine/contract.ts";
import type { KindLimits, LimitsOfKinds, Waiting } from "#server/engine/kind-limits.ts";
import type { Wanted } from "#server/engine/wanted.ts";
import { type PauseScope, textOfScope } from "#shared/pause.ts";
import type { Owner } from "#shared/principal.ts";
import { ANN, at, codeOf, DELIVER, newBatch, newJob, release, START } from "./builders.ts";
import { type EngineData, WEIGHTS } from "./engine.fixture.ts";
import { createQueueModel, type QueuedJob } from "./queue-model.ts";

const MINUTE = 60_000;
/** In UTF-8 the last one comes after the one before it, in UTF-16 before it. */
const TENANTS = ["acme", "beta", "double", "triple", "thirteen", "～", "🌱"];
const KINDS = ["article", "report", "image"];

const pick = fc.nat({ max: 1000 });
const tenant = fc.constantFrom(...TENANTS);
const priority = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9 }));
const kind = fc.constantFrom(...KINDS);
const key = fc.constantFrom(undefined, undefined, "a", "b", "～");

const concurrency = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined });
const rate = fc.option(
  fc
    .record({ limit: fc.integer({ min: 1, max: 3 }), each: fc.constantFrom(2, 10, 60) })
    .map(({ limit, each }) => ({ limit, perMs: limit * each * MINUTE })),
  { nil: undefined, freq: 1 },
);
const perKey = fc.option(fc.record({ concurrency, rate }), { nil: undefined });
/** Of some of the kinds. */
export const limitsOfKinds: fc.Arbitrary<LimitsOfKinds> = fc
  .dictionary(kind, fc.record({ concurrency, rate, perKey }), { noNullPrototype: true })
  .map((limits) => new Map<string, KindLimits>(Object.entries(limits)));

const someKinds = fc.option(
  fc.subarray(KINDS, { minLength: 1 }).map((kinds) => new Set(kinds)),
  { nil: undefined },
);
/** What a claim takes. */
const wanted = fc.option(
  fc.record({ only: someKinds, except: someKinds, tenant: fc.option(tenant, { nil: undefined }) }),
  { nil: undefined },
);

/** Of a pause. All that an engine tells apart is frequent. */
const scope = fc.oneof(
  { weight: 1, arbitrary: fc.constant<PauseScope>({}) },
  { weight: 3, arbitrary: fc.record({ tenant }) },
  { weight: 3, arbitrary: fc.record({ kind }) },
  { weight: 3, arbitrary: fc.record({ tenant, kind }) },
) as fc.Arbitrary<PauseScope>;

/** `pick` chooses among the jobs that the command can concern at that moment. */
const what = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("create" as const), tenant, priority, kind, key }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("batch" as const),
      tenant,
      jobs: fc.array(fc.record({ priority, kind, key }), { minLength: 1, maxLength: 10 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("claim" as const),
      max: fc.integer({ min: 1, max: 5 }),
      start: fc.boolean(),
      leaseMinutes: fc.constantFrom(4, 30, 300),
      wanted,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("release" as const),
      counts: fc.boolean(),
      pick,
      delayMinutes: fc.constantFrom(0, 0, 1, 5, 59),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("deliver" as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("renew" as const), pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("cancel" as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("retry" as const), pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("ask" as const), pick }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("deploy" as const), limits: limitsOfKinds }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), minutes: fc.constantFrom(3, 12, 70) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pause" as const), scope }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("resume" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("assign" as const), tenant, to: tenant }) },
);
/** `disturbed`: a call that is refused comes at the same moment, so an engine may have to take its transaction back. */
export const queueCommand = fc.record({ what, disturbed: fc.boolean() });
export type QueueCommand = typeof queueCommand extends fc.Arbitrary<infer T> ? T : never;

function begin() {
  return { progress: 3, message: "Taken and started" };
}

function timesOf({ startsInMs, rateInMs }: Waiting): number[] {
  return [startsInMs ?? 0, rateInMs.kind, rateInMs.key ?? 0];
}

function withoutTimes({ startsInMs, rateInMs, ...counts }: Waiting) {
  return { ...counts, delayed: startsInMs !== null, keyed: rateInMs.key !== null };
}

export class QueueModelRun {
  readonly model = createQueueModel(WEIGHTS);
  engine: Engine;
  /** Jobs that claims gave in turn. */
  given = 0;
  readonly #data: EngineData;
  /** Those of the newest program. `undefined`: the engine keeps none. */
  #limits: LimitsOfKinds | undefined;
  #now = 0;
  #disturbed = false;

  constructor(engine: Engine, data: EngineData, limits: LimitsOfKinds | undefined) {
    this.engine = engine;
    this.#data = data;
    this.#limits = limits;
  }

  async step({ what: command, disturbed }: QueueCommand): Promise<void> {
    await this.#pass(1);
    this.#disturbed = disturbed;
    const { model } = this;
    switch (command.do) {
      case "create": {
        await this.#avoidTies(command.tenant, [command.priority]);
        const { do: _, ...of } = command;
        const job = newJob(of);
        await this.#call((engine) => engine.createJob(job, at(0)));
        return model.create({ id: job.id, ...of }, this.#now);
      }
      case "batch": {
        const of = command.jobs;
        await this.#avoidTies(
          command.tenant,
          of.map((each) => each.priority),
        );
        const { batch, jobs } = newBatch(of.length, { tenant: command.tenant });
        const fresh = jobs.map((job, n) => ({ ...job, ...of[n] }));
        await this.#call((engine) => engine.createBatch(batch, fresh, at(0)));
        for (const [n, each] of of.entries()) {
          model.create({ id: jobs[n]?.id ?? "", tenant: command.tenant, ...each }, this.#now);
        }
        return;
      }
      case "claim":
        await this.claim(command);
        return;
      case "ask": {
        const job = this.#pick(command.pick, () => true);
        if (job !== undefined) await this.#ask(job);
        return;
      }
      case "deploy":
        if (this.#limits !== undefined) this.#limits = command.limits;
        return;
      case "release": {
        const held = this.#held(command.pick);
        if (held === undefined) return;
        const { job, claim } = held;
        let delay = command.delayMinutes * MINUTE;
        if (delay === 0) await this.#avoidTies(job.tenant, [job.priority]);
        else while (this.#isTaken(job.tenant, this.#now + delay, job.priority)) delay += MINUTE;
        // Only a claim that still holds is released: the minutes that passed may have ended it.
        if (!this.#holds(job)) return;
        await this.#beStarted(claim);
        const change = release(delay, command.counts);
        await this.#call((engine) => engine.change(job.id, change, at(0), claim));
        if (delay === 0 && !command.counts) return model.giveBack(job.id);
        return model.queue(job.id, this.#now, delay);
      }
      case "deliver": {
        const held = this.#held(command.pick);
        if (held === undefined) return;
        await this.#beStarted(held.claim);
        await this.#call((engine) => engine.change(held.job.id, DELIVER, at(0), held.claim));
        return model.settle(held.job.id);
      }
      case "renew": {
        const held = this.#held(command.pick);
        if (held === undefined) return;
        const { claim } = held;
        same(await this.#call((engine) => engine.renew([claim], 20 * MINUTE, at(0))), []);
        return model.lease(held.job.id, held.claim.token, this.#now + 20 * MINUTE);
      }
      case "cancel": {
        const job = this.#pick(command.pick, ({ state }) => state.is !== "settled");
        if (job === undefined) return;
        await this.#call((engine) => engine.change(job.id, { action: "cancel" }, at(0)));
        return model.settle(job.id);
      }
      case "retry": {
        const job = await this.#aborted(command.pick);
        if (job === undefined) return;
        await this.#avoidTies(job.tenant, [job.priority]);
        await this.#call((engine) => engine.change(job.id, { action: "retry" }, at(0)));
        return model.queue(job.id, this.#now);
      }
      case "wait":
        return this.#pass(command.minutes);
      case "pause": {
        const pause = {
          ...command.scope,
          at: at(0),
          note: "",
          by: { user: "op", via: "key" },
        } as const;
        const before = await this.#call((engine) => engine.pauses.set(pause));
        same(
          before === undefined,
          !model.pauses.some((each) => textOfScope(each) === textOfScope(pause)),
        );
        return model.pause(command.scope);
      }
      case "resume": {
        const resumed = model.pauses[command.pick % Math.max(1, model.pauses.length)];
        if (resumed !== undefined) await this.#resume(resumed);
        return;
      }
      case "assign":
        return this.#assign(command.tenant, command.to);
      case "reopen": {
        const before = await this.#counted();
        await this.engine.close();
        this.engine = await this.#data.open();
        // The counts that the engine keeps beside the jobs are those that a recount finds.
        same(await this.#counted(), before);
        if (!this.engine.capabilities.multiProcess) model.restart();
      }
    }
  }

  /** Returns how many it gave. */
  async claim(command: {
    max: number;
    start: boolean;
    leaseMinutes: number;
    wanted?: Wanted | undefined;
  }): Promise<number> {
    const leaseMs = command.leaseMinutes * MINUTE;
    const limits = this.#limits ?? new Map<string, KindLimits>();
    // The order of a claim of several is exact there only without limits.
    const max = this.engine.capabilities.multiProcess && limits.size > 0 ? 1 : command.max;
    const request = { worker: "w", max, leaseMs, now: at(0), limits, wanted: command.wanted };
    const expected = this.model.claim(max, this.#now, limits, command.wanted ?? {});
    const claims = await this.#call((engine) =>
      engine.claim(command.start ? { ...request, start: begin } : request),
    );
    const ids = claims.map(({ jobId }) => jobId);
    same(ids.slice(expected.ended), expected.ready);
    const ended = ids.slice(0, expected.ended);
    same(ended.length, expected.ended);
    ok(ended.every((id) => expected.of.includes(id)));
    this.given += expected.ready.length;
    for (const { jobId, token } of claims) this.model.lease(jobId, token, this.#now + leaseMs);
    return claims.length;
  }

  /** Ends what runs and claims, until nothing waits: who would have been next, to the last one, and none is held back for ever. */
  async drain(): Promise<void> {
    for (const each of this.model.pauses) await this.#resume(each);
    const is = (...states: QueuedJob["state"]["is"][]) =>
      this.model.jobs.filter(({ state }) => states.includes(state.is));
    for (;;) {
      while ((await this.claim({ max: 7, start: true, leaseMinutes: 600 })) > 0);
      if (is("ready", "delayed").length === 0) return;
      for (const { id } of is("leased")) {
        await this.engine.change(id, { action: "cancel" }, at(0));
        this.model.settle(id);
      }
      await this.#pass(60);
    }
  }

  async #resume(scope: PauseScope): Promise<void> {
    ok(await this.#call((engine) => engine.pauses.remove(scope)));
    this.model.resume(scope);
  }

  /** Of all jobs that wait. */
  async #counted() {
    if (this.#limits === undefined) return [];
    const asked = this.model.jobs.map(async ({ id }) => {
      const waits = await this.engine.waiting(id);
      return waits && withoutTimes(waits);
    });
    return Promise.all(asked);
  }

  async #assign(from: string, to: string): Promise<void> {
    // Where processes share the data, jobs that wait do not move.
    if (from === to || this.engine.capabilities.multiProcess) return;
    const move = async () => {
      const owners = [from, to].map((each) => ({ tenant: each, owner: ANN.owner })) as [
        Owner,
        Owner,
      ];
      return (await this.#call((engine) => engine.assign(...owners, 7))).moved;
    };
    while ((await move()) > 0);
    this.model.assign(from, to);
  }

  async #ask({ id, kind: of }: QueuedJob): Promise<void> {
    const limits = this.#limits;
    if (limits === undefined) return;
    const expected = this.model.waiting(id, this.#now, limits);
    const found = await this.engine.waiting(id, limits.get(of));
    // Several processes count a kind only for its own limit.
    const isCounted =
      !this.engine.capabilities.multiProcess || limits.get(of)?.concurrency !== undefined;
    if (found && expected && !isCounted) found.running.kind = expected.running.kind;
    same(found && withoutTimes(found), expected && withoutTimes(expected));
    const times = found && timesOf(found);
    for (const [n, most] of (expected === undefined ? [] : timesOf(expected)).entries()) {
      // The time that the engine's clock went on by itself.
      const time = times?.[n] ?? Infinity;
      ok(time >= 0 && time <= most && time > most - MINUTE, `It waits for ${time}, not ${most} ms`);
    }
  }

  async #call<T>(call: (engine: Engine) => Promise<T>): Promise<T> {
    const answer = call(this.engine);
    if (!this.#disturbed) return answer;
    // After the microtasks of the call, so that an embedded engine has both in one transaction, in this order.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const refused = this.engine.createJob(newJob({ priority: -1 }), at(0));
    const [, code] = await Promise.all([answer, codeOf(refused)]);
    same(code, "BAD_REQUEST");
    return answer;
  }

  async #pass(minutes: number): Promise<void> {
    this.#now += minutes * MINUTE;
    await this.#data.pass(minutes * MINUTE);
  }

  #pick(n: number, which: (job: QueuedJob) => boolean): QueuedJob | undefined {
    const among = this.model.jobs.filter(which);
    return among[n % Math.max(1, among.length)];
  }

  #holds({ state }: QueuedJob): boolean {
    return state.is === "leased" && state.until > this.#now;
  }

  #held(n: number) {
    const job = this.#pick(n, (each) => this.#holds(each));
    if (job?.state.is !== "leased") return undefined;
    return { job, claim: { jobId: job.id, token: job.state.token } };
  }

  async #aborted(n: number): Promise<QueuedJob | undefined> {
    const job = this.#pick(n, ({ state }) => state.is === "settled");
    if (job === undefined) return undefined;
    const status = (await this.engine.getSummary(job.id))?.status;
    return status === "ABORTED" ? job : undefined;
  }

  async #beStarted(claim: { jobId: string; token: number }): Promise<void> {
    const status = (await this.engine.getSummary(claim.jobId))?.status;
    if (status === "PENDING") await this.engine.change(claim.jobId, START, at(0), claim);
  }

  #isTaken(of: string, queuedAt: number, level: number): boolean {
    const rank = queuedAt - level * 10 * MINUTE;
    return this.model.jobs.some((job) => job.tenant === of && job.rank === rank);
  }

  async #avoidTies(of: string, levels: readonly number[]): Promise<void> {
    while (levels.some((level) => this.#isTaken(of, this.#now, level))) await this.#pass(1);
  }
}
