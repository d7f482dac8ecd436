import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AppError } from "#shared/errors.ts";
import { createGroupCommit, type GroupCommit } from "./group-commit.ts";

let dataDir: string;
let db: DatabaseSync;
let group: GroupCommit;
/** The stored numbers after each committed transaction. */
let commits: number[][];

const NOTHING = {
  unwritten: { flush() {}, discard() {} },
  remembered: { savepoint() {}, undoPart() {}, undo() {}, committed() {} },
};

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "jobwire-group-"));
  db = new DatabaseSync(join(dataDir, "group.db"));
  db.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE numbers (number INTEGER PRIMARY KEY, text TEXT) STRICT;
    CREATE TABLE promises (number INTEGER REFERENCES numbers DEFERRABLE INITIALLY DEFERRED) STRICT;`);
  group = createGroupCommit({ db, path: join(dataDir, "group.db"), ...NOTHING });
  commits = [];
});

afterEach(() => {
  db.close();
  rmSync(dataDir, { recursive: true });
});

function stored(): number[] {
  return db
    .prepare("SELECT number FROM numbers ORDER BY number")
    .all()
    .map((row) => Number(row.number));
}

/** Records each transaction: an effect that all of its ops give. */
function note(): void {
  commits.push(stored());
}

function insert(number: number, text = ""): void {
  db.prepare("INSERT INTO numbers VALUES (?, ?)").run(number, text);
  group.afterCommit(note);
}

test("all writes of one tick share one transaction, and are answered after its commit", async () => {
  const writes = [1, 2, 3].map((number) =>
    group.write(() => {
      insert(number);
      return number;
    }),
  );
  expect(stored()).toEqual([]);
  expect(await writes[0]).toBe(1);
  expect(commits).toEqual([[1, 2, 3]]);
  expect(await Promise.all(writes)).toEqual([1, 2, 3]);
  await group.write(() => insert(4));
  expect(commits).toEqual([
    [1, 2, 3],
    [1, 2, 3, 4],
  ]);
});

test("a write that fails rejects alone, and neither it nor its effects remain", async () => {
  const effects: string[] = [];
  const results = await Promise.allSettled([
    group.write(() => insert(1)),
    group.write(() => {
      insert(2);
      group.afterCommit(() => effects.push("of the failed write"));
      throw new AppError("NOT_FOUND", "too late");
    }),
    group.write(() => insert(1)),
    group.write(() => {
      insert(3);
      group.afterCommit(() => effects.push("of the stored write"));
    }),
  ]);
  expect(results).toMatchObject([
    { status: "fulfilled" },
    { status: "rejected", reason: { code: "NOT_FOUND", message: "too late" } },
    { status: "rejected", reason: { code: "INTERNAL" } },
    { status: "fulfilled" },
  ]);
  expect(stored()).toEqual([1, 3]);
  expect(effects).toEqual(["of the stored write"]);
  expect(group.failure()).toBeNull();
});

test("any writes of a group may fail: exactly the others are stored, each effect once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("good", "fails first", "fails last"), { maxLength: 30 }),
      async (kinds) => {
        db.exec("DELETE FROM numbers");
        const effects: number[] = [];
        const results = await Promise.allSettled(
          kinds.map((kind, number) =>
            group.write(() => {
              if (kind === "fails first") throw new Error("first");
              insert(number);
              group.afterCommit(() => effects.push(number));
              if (kind === "fails last") throw new Error("last");
            }),
          ),
        );
        const good = [...kinds.keys()].filter((number) => kinds[number] === "good");
        expect(stored()).toEqual(good);
        expect(effects).toEqual(good);
        expect(results.map(({ status }) => status)).toEqual(
          kinds.map((kind) => (kind === "good" ? "fulfilled" : "rejected")),
        );
      },
    ),
    { numRuns: 50 },
  );
});

test("[J3] when the commit fails all writes of it reject with UNAVAILABLE, and later writes are stored", async () => {
  const effect = vi.fn<() => void>();
  const results = await Promise.allSettled([
    group.write(() => {
      insert(1);
      group.afterCommit(effect);
    }),
    group.write(() => void db.prepare("INSERT INTO promises VALUES (99)").run()),
  ]);
  expect(results).toMatchObject([
    { status: "rejected", reason: { code: "UNAVAILABLE" } },
    { status: "rejected", reason: { code: "UNAVAILABLE" } },
  ]);
  expect(stored()).toEqual([]);
  expect(effect).not.toHaveBeenCalled();
  expect(group.failure()?.code).toBe("UNAVAILABLE");
  await group.write(() => insert(2));
  expect(stored()).toEqual([2]);
  expect(group.failure()).toBeNull();
});

test("[J3] on a full disk all writes of the transaction reject with UNAVAILABLE; with space again they are stored", async () => {
  const { page_count: pages } = db.prepare("PRAGMA page_count").get() as { page_count: number };
  db.exec(`PRAGMA max_page_count = ${pages}`);
  const large = "x".repeat(100_000);
  const full = { code: "UNAVAILABLE", message: expect.stringContaining("is full") as string };
  const results = await Promise.allSettled([
    group.write(() => insert(1)),
    group.write(() => insert(2, large)),
  ]);
  expect(results).toMatchObject([
    { status: "rejected", reason: full },
    { status: "rejected", reason: full },
  ]);
  expect(stored()).toEqual([]);
  expect(group.failure()).toMatchObject(full);
  db.exec(`PRAGMA max_page_count = ${pages + 100}`);
  await Promise.all([group.write(() => insert(1)), group.write(() => insert(2, large))]);
  expect(stored()).toEqual([1, 2]);
  expect(group.failure()).toBeNull();
});

test("a transaction has a bounded weight, and the event loop turns between two of them", async () => {
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (commits.length < 5) setImmediate(count);
  };
  setImmediate(count);
  await Promise.all(
    Array.from({ length: 1001 }, (_, number) => group.write(() => insert(number), number ? 2 : 1)),
  );
  expect(commits.map(({ length }) => length)).toEqual([251, 501, 751, 1001]);
  expect(turns).toBeGreaterThanOrEqual(4);
});

test("flush commits all waiting writes at once", async () => {
  const write = group.write(() => insert(1));
  group.flush();
  expect(stored()).toEqual([1]);
  await write;
});

test("flush commits one bounded transaction after the other, and writes after it are scheduled again", async () => {
  const writes = Array.from({ length: 3 }, (_, number) => group.write(() => insert(number), 500));
  group.flush();
  expect(commits).toEqual([[0], [0, 1], [0, 1, 2]]);
  group.flush();
  await Promise.all([...writes, group.write(() => insert(3))]);
  expect(commits).toHaveLength(4);
});

test("a write from within an op, an effect or an answer is committed in a later transaction", async () => {
  const inner: Promise<void>[] = [];
  await group.write(() => {
    insert(1);
    inner.push(group.write(() => insert(2)));
    group.afterCommit(() => inner.push(group.write(() => insert(3))));
  });
  await group.write(() => insert(4));
  await Promise.all(inner);
  expect(commits[0]).toEqual([1]);
  expect(commits.at(-1)).toEqual([1, 2, 3, 4]);
});

test("afterCommit outside of an op throws, before, between and after transactions", async () => {
  const effect = vi.fn<() => void>();
  const give = () => group.afterCommit(effect);
  expect(give).toThrow("outside of an op");
  const write = group.write(() => insert(1));
  expect(give).toThrow("outside of an op");
  await write;
  expect(give).toThrow("outside of an op");
  expect(effect).not.toHaveBeenCalled();
});

test("flush within an op fails that write alone", async () => {
  const results = await Promise.allSettled([
    group.write(() => insert(1)),
    group.write(() => {
      insert(2);
      group.flush();
    }),
  ]);
  expect(results).toMatchObject([{ status: "fulfilled" }, { reason: { code: "INTERNAL" } }]);
  expect(stored()).toEqual([1]);
});

test("an effect that throws keeps no later write from being stored", async () => {
  const write = group.write(() => {
    insert(1);
    group.afterCommit(() => {
      throw new Error("no listener");
    });
  });
  const heavy = group.write(() => insert(2), 500);
  const next = group.write(() => insert(3));
  expect(() => group.flush()).toThrow("no listener");
  await Promise.all([write, heavy, next]);
  await group.write(() => insert(4));
  expect(stored()).toEqual([1, 2, 3, 4]);
});
