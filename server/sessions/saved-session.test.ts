import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SessionChange, SessionSaved } from "#server/engine/contract.ts";
import { AppError } from "#shared/errors.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import { openSessions } from "./open.ts";

// The session measures time by this clock, which tests advance.
beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

type Save = [entries: Record<string, number | null>, whole: boolean];

/** A session of a holder with `entries`, in a store whose answers the test chooses. */
function begin(entries: Record<string, number> = {}, taken = false) {
  const saves: Save[] = [];
  const answers: (SessionSaved | Error)[] = [];
  let gate = Promise.resolve();
  const ended: string[] = [];
  let evicted = 0;
  const sessions = openSessions({
    takeSession: () => expect.unreachable(),
    async saveSession(_session, _holder, { entries: changed, whole }: SessionChange) {
      saves.push([Object.fromEntries(changed), whole]);
      await gate;
      const answer = answers.shift() ?? "saved";
      if (answer instanceof Error) throw answer;
      return answer;
    },
    async endSession(_session, holder) {
      ended.push(holder);
    },
  });
  const holder = {
    id: "a connection",
    entries: () => Object.entries(entries),
    evicted: () => void (evicted += 1),
  };
  const whose = { principal: LOCAL_PRINCIPAL, secret: sessions.newSecret() };
  const session = sessions.hold(whose, holder, taken);
  return {
    session,
    saves,
    answers,
    ended,
    evicted: () => evicted,
    /** Makes saves wait until the returned function is called. */
    block(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    /** Changes an entry as the holder does: first its own entries, then the session. */
    put(name: string, value: number): Promise<void> {
      entries[name] = value;
      return session.change(name, value);
    },
    remove(name: string): Promise<void> {
      delete entries[name];
      return session.change(name, null);
    },
  };
}

test("the first save writes all entries, later saves only changed ones", async () => {
  const { put, remove, saves } = begin();
  await put("a", 0);
  await put("b", 3);
  await remove("a");
  expect(saves).toEqual([
    [{ a: 0 }, true],
    [{ b: 3 }, false],
    [{ a: null }, false],
  ]);
});

test("changes of one tick are one save, and so are changes during a save", async () => {
  const { put, saves, block } = begin();
  const release = block();
  const first = Array.from({ length: 1000 }, (_, n) => put(`first ${n}`, n));
  await vi.waitFor(() => expect(saves).toHaveLength(1));
  const second = Array.from({ length: 1000 }, (_, n) => put(`second ${n}`, n));
  let done = 0;
  for (const each of second) void each.then(() => (done += 1));
  release();
  await Promise.all(first);
  expect(done).toBe(0);
  await Promise.all(second);
  expect(saves.map(([entries, whole]) => [Object.keys(entries).length, whole])).toEqual([
    [1000, true],
    [1000, false],
  ]);
});

test("changes in quick succession are combined into one save", async () => {
  const { put, saves } = begin();
  await put("a", 0);
  const soon = put("b", 0);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  await Promise.all([soon, put("c", 0)]);
  expect(saves.slice(1)).toEqual([[{ b: 0, c: 0 }, false]]);
});

test("a session without entries is neither stored nor renewed", async () => {
  const { session, saves, remove } = begin();
  await remove("never there");
  vi.advanceTimersByTime(120_000);
  session.renew();
  await remove("never there");
  expect(saves).toEqual([]);
});

test("for a session that was taken, only changes are saved", async () => {
  const { put, saves } = begin({ a: 1 }, true);
  await put("b", 0);
  expect(saves).toEqual([[{ b: 0 }, false]]);
});

test("a session is renewed while its holder is connected, at most once a minute", async () => {
  const { session, saves, put } = begin();
  await put("a", 0);
  vi.advanceTimersByTime(59_000);
  session.renew();
  await put("b", 0);
  expect(saves).toHaveLength(2);
  vi.advanceTimersByTime(60_000);
  session.renew();
  session.renew();
  await vi.waitFor(() => expect(saves).toHaveLength(3));
  expect(saves[2]).toEqual([{}, false]);
  session.renew();
  await put("c", 0);
  expect(saves).toHaveLength(4);
});

test("if the store has lost the session, the next save writes all entries", async () => {
  const { put, saves, answers } = begin({ a: 1 });
  await put("b", 2);
  answers.push("missing");
  await put("c", 3);
  expect(saves.slice(1)).toEqual([
    [{ c: 3 }, false],
    [{ a: 1, b: 2, c: 3 }, true],
  ]);
});

test("a failed save is repeated with the next change or renewal", async () => {
  const { session, put, remove, saves, answers } = begin();
  await put("a", 0);
  answers.push(new AppError("UNAVAILABLE", "The disk is full."));
  await put("b", 0);
  await remove("a");
  expect(saves.at(-1)).toEqual([{ b: 0 }, true]);
  answers.push(new AppError("UNAVAILABLE", "The disk is full."));
  await put("c", 0);
  vi.advanceTimersByTime(60_000);
  session.renew();
  await vi.waitFor(() => expect(saves.at(-1)).toEqual([{ b: 0, c: 0 }, true]));
});

test("a holder that lost the session to another connection is notified once, and saves nothing more", async () => {
  const { put, saves, answers, evicted, session, ended } = begin();
  await put("a", 0);
  answers.push("taken");
  await put("b", 0);
  expect(evicted()).toBe(1);
  await put("c", 0);
  session.end();
  expect([saves.length, evicted(), ended]).toEqual([2, 1, []]);
});

test("a session that ends is deleted at once, and again after a save that was under way", async () => {
  const { session, put, saves, ended, block } = begin();
  const release = block();
  const saved = put("a", 0);
  await vi.waitFor(() => expect(saves).toHaveLength(1));
  session.end();
  session.end();
  expect(ended).toEqual(["a connection"]);
  release();
  await saved;
  await vi.waitFor(() => expect(ended).toEqual(["a connection", "a connection"]));
  await put("b", 0);
  expect(saves).toHaveLength(1);
  expect(ended).toHaveLength(2);
});

test("a session that was never stored is not deleted", async () => {
  const { session, ended, put, saves } = begin();
  session.end();
  await put("a", 0);
  expect([saves, ended]).toEqual([[], []]);
});
