/** Two processes on one engine, and a clock that the tests advance. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { PresenceCall } from "#server/engine/presence-store.ts";
import { openStreams, type Stream } from "#server/streams/open.ts";
import { createTestClock } from "#server/testing/test-clock.ts";
import { AppError } from "#shared/errors.ts";
import type { Presence, PresenceOf } from "#shared/presence.ts";
import { LOCAL_PRINCIPAL, type Principal } from "#shared/principal.ts";
import { openStreamsFixture } from "#test/streams/streams.fixture.ts";
import { me } from "#test/jobs/acting.ts";
import { GRACE_MS, MAX_TYPING, openPresence, TYPING_MS } from "./open.ts";
import { MIN_INTERVAL_MS } from "./presence-source.ts";
import { CHECK_MS, createRightsCheck } from "./rights-check.ts";

/** Of the tenant of the fixture's jobs, and may read them. */
const person = (userId: string, ...more: string[]): Principal => ({
  userId,
  tenantId: me.tenantId,
  scopes: ["jobs:read", "jobs:review", "tenant", ...more],
});
const [ANN, BOB] = [person("ann"), person("bob")];

/** `heartbeatMs`: so long that there is none, unless a test wants it. */
async function openFixture({ heartbeatMs = 3_600_000 } = {}) {
  const fixture = await openStreamsFixture();
  const clock = createTestClock();
  const { engine } = fixture;
  const calls: PresenceCall[] = [];
  let reads = 0;
  let failing = false;
  const counted = {
    ...engine,
    presence: {
      keep(call: PresenceCall) {
        calls.push(call);
        if (failing) return Promise.reject(new AppError("UNAVAILABLE", "It is away."));
        return engine.presence.keep(call);
      },
      read(...args: Parameters<typeof engine.presence.read>) {
        reads += 1;
        return engine.presence.read(...args);
      },
    },
  };
  function openProcess() {
    const streams = openStreams(engine);
    const presence = openPresence({ engine: counted, streams, clock, heartbeatMs });
    onTestFinished(async () => {
      await presence.close();
      streams.close();
    });
    return presence;
  }
  return {
    ...fixture,
    engine,
    clock,
    calls,
    reads: () => reads,
    fail: (now: boolean) => (failing = now),
    openProcess,
    jobId: await fixture.createJob(),
  };
}

const unnamed = (count: number) => (count > 0 ? [`+${count}`] : []);

/** Writes who is there: `ann bob +1`, and who writes: `/ ann +1`. */
function shown({ count, guests, people, typing }: Presence): string {
  const there = [...people.map(({ user }) => user).toSorted(), ...unnamed(count - people.length)];
  expect(guests).toBeLessThanOrEqual(count);
  const writing = [...typing.people, ...unnamed(typing.count - typing.people.length)];
  return [...there, ...(writing.length > 0 ? ["/", ...writing] : [])].join(" ");
}

/** Collects the states that a watcher receives. */
function follow(stream: Stream<Presence>) {
  const states: string[] = [];
  const ends: unknown[] = [];
  const watch = stream.pipe({
    push(entries) {
      states.push(...entries.map(({ value }) => shown(value)));
      return entries.length;
    },
    end: (reason) => void ends.push(reason?.code),
  });
  return {
    states,
    ends,
    leave: () => watch.stop(),
    last: () => states.at(-1),
  };
}

type Process = ReturnType<Awaited<ReturnType<typeof openFixture>>["openProcess"]>;
type Options = Parameters<Process["watch"]>[2];

async function join(process: Process, principal: Principal, of: PresenceOf, options?: Options) {
  return follow(await process.watch(principal, of, options));
}

describe("who is there", () => {
  test("[W1] a person is there once, on all processes together, until the last watch has ended", async () => {
    const { openProcess, jobId, clock } = await openFixture();
    const [here, there] = [openProcess(), openProcess()];
    const observer = await join(here, person("eve"), { jobId }, { visible: false });
    const tabs = [
      await join(here, ANN, { jobId }),
      await join(here, ANN, { jobId }),
      await join(there, ANN, { jobId }),
    ];
    const bob = await join(there, BOB, { jobId });
    for (const each of [observer, bob, ...tabs])
      await vi.waitFor(() => expect(each.last()).toBe("ann bob"));
    for (const tab of tabs.slice(0, 2)) tab.leave();
    await clock.advance(GRACE_MS);
    const late = await join(here, person("kim"), { jobId });
    for (const each of [late, observer, bob])
      await vi.waitFor(() => expect(each.last()).toBe("ann bob kim"));
    tabs[2]?.leave();
    tabs[2]?.leave();
    await clock.advance(GRACE_MS);
    for (const each of [late, observer, bob])
      await vi.waitFor(() => expect(each.last()).toBe("bob kim"));
  });

  test("[W4] a person who comes back within five seconds, elsewhere too, was never away", async () => {
    const { openProcess, jobId, clock, calls } = await openFixture();
    const [here, there] = [openProcess(), openProcess()];
    const bob = await join(here, BOB, { jobId });
    for (const process of [here, there, here]) {
      const ann = await join(process, ANN, { jobId });
      await vi.waitFor(() => expect(bob.last()).toBe("ann bob"));
      ann.leave();
      // Not nearly all of it: the clock of an engine may go on by itself meanwhile.
      await clock.advance(GRACE_MS / 2);
    }
    expect(calls.flatMap(({ changes }) => changes).filter(({ what }) => what === "leave")).toEqual(
      [],
    );
    await clock.advance(GRACE_MS);
    await vi.waitFor(() => expect(bob.last()).toBe("bob"));
    const at = bob.states.indexOf("ann bob");
    expect(bob.states.slice(at)).toEqual(["ann bob", "bob"]);
  });

  test("[W1] jobs, batches and the tenant are places of their own", async () => {
    const { openProcess, jobId, createBatch } = await openFixture();
    const process = openProcess();
    const { batchId } = await createBatch(1);
    const watches = [
      await join(process, ANN, { jobId }),
      await join(process, BOB, { batchId }),
      await join(process, person("kim"), {}),
    ];
    for (const [index, name] of ["ann", "bob", "kim"].entries())
      await vi.waitFor(() => expect(watches[index]?.last()).toBe(name));
  });

  test("[W3] [J9] presence of a job that the caller may not read does not exist", async () => {
    const { openProcess, jobId, createBatch, calls } = await openFixture();
    const process = openProcess();
    const { batchId } = await createBatch(1);
    const stranger = { ...ANN, scopes: ["jobs:read", "jobs:review"] };
    for (const of of [{ jobId }, { batchId }]) {
      for (const principal of [stranger, { ...ANN, tenantId: "another" }]) {
        await expect(process.watch(principal, of)).rejects.toMatchObject({ code: "NOT_FOUND" });
        await expect(process.setTyping(principal, jobId, true, undefined)).rejects.toMatchObject({
          code: "NOT_FOUND",
        });
      }
    }
    expect(calls).toEqual([]);
  });
});

const ownedBy = (owner: string, tenant = me.tenantId) => ({ tenant, owner });

describe("rights that end", () => {
  const OWN: Principal = { ...ANN, scopes: ["jobs:read"] };

  test("[W3] [J9] a job that went to another owner shows its people no longer to those who may not read it", async () => {
    const { openProcess, jobId, engine, clock, createBatch } = await openFixture();
    const process = openProcess();
    const { batchId } = await createBatch(1);
    await engine.assign(ownedBy(me.userId), ownedBy("ann"), 100);
    const watches = [
      await join(process, OWN, { jobId }),
      await join(process, OWN, { batchId }, { visible: false }),
    ];
    const bob = await join(process, BOB, { jobId });
    const online = await join(process, OWN, {});
    for (const watch of [bob, watches[0]]) {
      await vi.waitFor(() => expect(watch?.last()).toBe("ann bob"));
    }
    await engine.assign(ownedBy("ann"), ownedBy("kim"), 100);
    expect(watches.map(({ ends }) => ends)).toEqual([[], []]);
    await clock.advance(CHECK_MS);
    for (const { ends } of watches) await vi.waitFor(() => expect(ends).toEqual(["NOT_FOUND"]));
    await clock.advance(GRACE_MS);
    await vi.waitFor(() => expect(bob.last()).toBe("bob"));
    await join(process, person("eve"), { jobId });
    await vi.waitFor(() => expect(bob.last()).toBe("bob eve"));
    expect(watches[0]?.last()).toBe("ann bob");
    expect([bob.ends, online.ends]).toEqual([[], []]);
  });

  test("[W3] watches of what was deleted, or went to another tenant, end", async () => {
    const { openProcess, jobId, engine, clock, createJob } = await openFixture();
    const process = openProcess();
    const moved = await createJob();
    await engine.change(jobId, { action: "cancel" }, new Date());
    const watches = [
      await join(process, ANN, { jobId }),
      await join(process, BOB, { jobId }),
      await join(process, ANN, { jobId: moved }),
    ];
    watches[1]?.leave();
    await vi.waitFor(() => expect(watches[2]?.last()).toBe("ann"));
    await engine.prune(new Date(Date.now() + 60_000), 10);
    // Redis moves no job to another tenant before it has settled.
    await engine.change(moved, { action: "cancel" }, new Date());
    await engine.assign(ownedBy(me.userId), ownedBy("eve", "another"), 100);
    await clock.advance(CHECK_MS);
    await vi.waitFor(() => expect(watches[0]?.ends).toEqual(["NOT_FOUND"]));
    await vi.waitFor(() => expect(watches[2]?.ends).toEqual(["NOT_FOUND"]));
    expect(watches[1]?.ends).toEqual([]);
  });

  test("[S2] while the data is unavailable a watch goes on, and is checked again later", async () => {
    const { jobId, engine, clock } = await openFixture();
    const [reads, ends]: [string[], unknown[]] = [[], []];
    const check = createRightsCheck(
      {
        getBatch: (id) => engine.getBatch(id),
        getSummary: async (id) => {
          reads.push(id);
          if (reads.length === 1) throw new AppError("UNAVAILABLE", "It is away.");
          return undefined;
        },
      },
      clock,
    );
    for (const each of [ANN, BOB]) check.watch(each, { jobId }, ({ code }) => void ends.push(code));
    check.watch(ANN, { jobId }, () => ends.push("left"))();
    await clock.advance(CHECK_MS);
    await vi.waitFor(() => expect(reads).toHaveLength(1));
    expect(ends).toEqual([]);
    await clock.advance(CHECK_MS);
    await vi.waitFor(() => expect(ends).toEqual(["NOT_FOUND", "NOT_FOUND"]));
    await clock.advance(CHECK_MS);
    expect(reads).toHaveLength(2);
  });
});

describe("names", () => {
  const link: Principal = { userId: "link:1", tenantId: me.tenantId, scopes: [] };

  test("[W3] who opened a share link is a guest by their device, and sees numbers alone", async () => {
    const { openProcess, jobId } = await openFixture();
    const process = openProcess();
    const guest = { ...link, scopes: [`job:${jobId}:read`] };
    const ann = await join(process, ANN, { jobId });
    await process.setTyping(ANN, jobId, true, undefined);
    const guests = [
      await join(process, guest, { jobId }, { device: "one" }),
      await join(process, guest, { jobId }, { device: "one" }),
      await join(process, guest, { jobId }, { device: "two" }),
      await join(process, guest, { jobId }),
    ];
    await vi.waitFor(() => expect(ann.last()).toBe("ann +3 / ann"));
    for (const each of guests) await vi.waitFor(() => expect(each.last()).toBe("+4 / +1"));
    for (const each of guests) expect(each.states.join(" ")).not.toContain("ann");
  });

  test("[W3] callers of a server without sign-in are counted by their device", async () => {
    const { openProcess } = await openFixture();
    const process = openProcess();
    const first = await join(process, LOCAL_PRINCIPAL, {}, { device: "one" });
    await join(process, LOCAL_PRINCIPAL, {}, { device: "one" });
    await join(process, LOCAL_PRINCIPAL, {}, { device: "two" });
    await vi.waitFor(() => expect(first.last()).toBe("+2"));
  });

  test("[W3] without the scope `tenant` a person is online, and sees itself alone", async () => {
    const { openProcess } = await openFixture();
    const process = openProcess();
    const ann = await join(process, { ...ANN, scopes: ["jobs:read"] }, {});
    const bob = await join(process, BOB, {});
    await join(process, { ...ANN, tenantId: "another" }, {});
    await vi.waitFor(() => expect(bob.last()).toBe("ann bob"));
    await vi.waitFor(() => expect(ann.last()).toBe("ann"));
    expect(ann.states).toEqual(["ann"]);
  });
});

describe("many", () => {
  const CROWD = 10_000;

  test("[W2] ten thousand who come at once cost a few calls and states, with exact numbers", async () => {
    const { openProcess, jobId, calls, reads, clock } = await openFixture();
    const [here, there] = [openProcess(), openProcess()];
    const bob = await join(there, BOB, { jobId });
    await vi.waitFor(() => expect(bob.last()).toBe("bob"));
    const crowd = await Promise.all(
      Array.from({ length: CROWD }, (_, n) => here.watch(person(`user ${n}`), { jobId })),
    );
    const before = { calls: calls.length, states: bob.states.length, reads: reads() };
    const since = performance.now();
    const first = follow(crowd[0] as Stream<Presence>);
    const last = crowd
      .slice(1)
      .map((each) => each.pipe({ push: (entries) => entries.length, end: () => undefined }));
    await vi.waitFor(() => expect(bob.states.at(-1)).toMatch(new RegExp(`\\+${CROWD - 19}$`)));
    await vi.waitFor(() => expect(first.states.at(-1)).toBe(bob.states.at(-1)));
    expect(bob.states.at(-1)?.split("user")).toHaveLength(21);
    expect(calls.length - before.calls).toBe(1);
    // Two a second, the first and the last: how many depends on the machine, and never on how many come.
    const maxStates = 3 + (performance.now() - since) / MIN_INTERVAL_MS;
    expect(bob.states.length - before.states).toBeLessThanOrEqual(maxStates);
    expect(first.states.length).toBeLessThanOrEqual(maxStates);
    expect(reads() - before.reads).toBeLessThan(20);
    for (const watch of last) watch.stop();
    first.leave();
    await clock.advance(GRACE_MS);
    await vi.waitFor(() => expect(bob.last()).toBe("bob"));
    expect(calls.length - before.calls).toBe(2);
  });

  test("[W2] those who come and go between two calls cost nothing", async () => {
    const { openProcess, jobId, clock, calls } = await openFixture();
    const process = openProcess();
    const bob = await join(process, BOB, { jobId });
    await vi.waitFor(() => expect(bob.last()).toBe("bob"));
    const ann = await join(process, ANN, { jobId });
    ann.leave();
    await clock.advance(GRACE_MS);
    await join(process, person("kim"), { jobId });
    await vi.waitFor(() => expect(bob.last()).toBe("bob kim"));
    expect(calls.flatMap(({ changes }) => changes.map(({ what }) => what))).not.toContain("leave");
  });
});

describe("typing", () => {
  test("[W5] a person writes until they stop, or five seconds after they last said so", async () => {
    const { openProcess, jobId, clock } = await openFixture();
    const [here, there] = [openProcess(), openProcess()];
    const bob = await join(here, BOB, { jobId });
    await here.setTyping(ANN, jobId, true, undefined);
    await there.setTyping(BOB, jobId, true, undefined);
    await vi.waitFor(() => expect(bob.last()).toBe("bob / ann bob"));
    await there.setTyping(ANN, jobId, false, undefined);
    await vi.waitFor(() => expect(bob.last()).toBe("bob / bob"));
    await clock.advance(TYPING_MS - 1);
    await there.setTyping(BOB, jobId, true, undefined);
    await clock.advance(TYPING_MS - 1);
    await here.setTyping(ANN, jobId, true, undefined);
    await vi.waitFor(() => expect(bob.last()).toBe("bob / ann bob"));
    await clock.advance(1);
    await vi.waitFor(() => expect(bob.last()).toBe("bob / ann"));
    await clock.advance(TYPING_MS);
    await vi.waitFor(() => expect(bob.last()).toBe("bob"));
  });

  test("[W5] a person who leaves for good writes no more", async () => {
    const { openProcess, jobId, clock } = await openFixture();
    const process = openProcess();
    const bob = await join(process, BOB, { jobId });
    const ann = await join(process, ANN, { jobId });
    ann.leave();
    await clock.advance(GRACE_MS - 1000);
    await process.setTyping(ANN, jobId, true, undefined);
    await vi.waitFor(() => expect(bob.last()).toBe("ann bob / ann"));
    await clock.advance(1000);
    await vi.waitFor(() => expect(bob.last()).toBe("bob"));
  });

  test("[W5] of too many who write, the one who said so the longest ago writes no more", async () => {
    const { openProcess, jobId } = await openFixture();
    const process = openProcess();
    const all = Array.from({ length: MAX_TYPING + 1 }, (_, n) => person(`user ${n}`));
    await Promise.all(all.map((each) => process.setTyping(each, jobId, true, undefined)));
    const bob = await join(process, BOB, { jobId });
    await vi.waitFor(() => expect(bob.states.at(-1)).toMatch(new RegExp(`\\+${MAX_TYPING - 20}$`)));
  });
});

describe("trouble", () => {
  test("[W1] what the engine did not take, and what it lost, it is told again", async () => {
    const { openProcess, jobId, engine, calls, fail } = await openFixture({ heartbeatMs: 2000 });
    const process = openProcess();
    const bob = await join(process, BOB, { jobId });
    await vi.waitFor(() => expect(bob.last()).toBe("bob"));
    fail(true);
    const ann = await join(process, ANN, { jobId });
    await process.setTyping(ANN, jobId, true, undefined);
    const before = calls.length;
    await vi.waitFor(() => expect(calls.length).toBeGreaterThan(before + 1));
    expect(bob.states.at(-1)).toBe("bob");
    fail(false);
    for (const each of [ann, bob])
      await vi.waitFor(() => expect(each.last()).toBe("ann bob / ann"));
    const { tenant, node } = calls[0] as PresenceCall;
    const topic = `job:${jobId}` as const;
    const lost = { tenant, node, ttlMs: 60_000, holds: new Map() };
    const changes = [
      { topic, what: "reset" },
      { topic, what: "settle" },
    ] as const;
    await engine.presence.keep({ ...lost, changes });
    expect(await engine.presence.read(tenant, topic, 0)).toMatchObject({ people: 0 });
    await vi.waitFor(async () =>
      expect(await engine.presence.read(tenant, topic, 0)).toMatchObject({ people: 2, typing: 1 }),
    );
    await vi.waitFor(() => expect(bob.last()).toBe("ann bob / ann"));
  });

  test("[W4] while an unseen watcher looks, the engine is called, so that it forgets processes that were killed", async () => {
    const { openProcess, jobId, calls } = await openFixture({ heartbeatMs: 1000 });
    const process = openProcess();
    const observer = await join(process, BOB, { jobId }, { visible: false });
    await vi.waitFor(() => expect(observer.last()).toBe(""));
    await vi.waitFor(() => expect(calls.length).toBeGreaterThan(1));
    expect(calls.every(({ changes, holds }) => changes.length + holds.size === 0)).toBe(true);
    observer.leave();
    observer.leave();
    const ann = await join(process, ANN, { jobId }, { visible: false });
    const before = calls.length;
    await vi.waitFor(() => expect(calls.length).toBeGreaterThan(before));
    ann.leave();
  });

  test("[W1] a place where nothing has changed has the time at which it was read", async () => {
    const { openProcess, jobId, clock } = await openFixture();
    const stream = await openProcess().watch(BOB, { jobId }, { visible: false });
    for await (const { value } of stream) {
      expect(value).toMatchObject({ count: 0, at: clock.now() });
      break;
    }
  });

  test("[W4] the people of a process that stops are left to the engine for five seconds more", async () => {
    const { openProcess, jobId, calls } = await openFixture();
    const process = openProcess();
    const bob = await join(process, BOB, { jobId });
    await vi.waitFor(() => expect(bob.last()).toBe("bob"));
    await process.close();
    expect(calls.at(-1)).toMatchObject({ ttlMs: GRACE_MS, changes: [] });
  });
});
