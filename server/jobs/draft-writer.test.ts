import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { createDraftWriter } from "./draft-writer.ts";

/** A store that takes its time, and says what came. */
function createStore(failAt = Number.POSITIVE_INFINITY) {
  const pieces: string[] = [];
  let inside = 0;
  return {
    pieces,
    append: async (text: string) => {
      expect(++inside, "one commit at a time").toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      if (pieces.length >= failAt) throw new Error("The disk is full.");
      pieces.push(text);
    },
  };
}

test("small pieces are gathered into few commits", async () => {
  const store = createStore();
  const draft = createDraftWriter(store.append);
  for (const word of ["Once ", "upon ", "a ", "time"]) await draft.write(word);
  await draft.flush();
  expect(store.pieces).toEqual(["Once upon a time"]);
});

test("text is stored soon, even if no more follows", async () => {
  const store = createStore();
  await createDraftWriter(store.append).write("alone");
  await vi.waitFor(() => expect(store.pieces).toEqual(["alone"]));
});

test("a writer that is faster than the store waits for it", async () => {
  const store = createStore();
  const draft = createDraftWriter(store.append);
  await draft.write("x".repeat(70_000));
  expect(store.pieces.join("")).toHaveLength(70_000);
});

test("a surrogate pair that is written in two pieces is stored whole, and a lone half never", async () => {
  const store = createStore();
  const draft = createDraftWriter(store.append);
  await draft.write("a\ud83d");
  await draft.flush();
  await draft.write("\ude00b\ud83d");
  await draft.flush();
  await draft.write("c\ude00");
  await draft.flush();
  expect(store.pieces).toEqual(["a", "😀b", "\ufffdc\ufffd"]);
});

test("every character is stored once and in order, however it is written", async () => {
  const step = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constant("y".repeat(66_000)),
    fc.constant("flush" as const).map(() => undefined),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, awaited) => {
      const store = createStore();
      const draft = createDraftWriter(store.append);
      for (const text of steps) {
        const done = text === undefined ? draft.flush() : draft.write(text);
        if (awaited) await done;
      }
      await draft.flush();
      const written = steps.join("").replace(/[\ud800-\udbff]$/, "");
      expect(store.pieces.join("")).toBe(written.toWellFormed());
      expect(store.pieces.every((piece) => piece.isWellFormed())).toBe(true);
      expect(store.pieces).not.toContain("");
    }),
    { numRuns: 50 },
  );
});

test("a failure rejects the next write and the flush, and nothing is stored after it", async () => {
  const store = createStore(1);
  const draft = createDraftWriter(store.append);
  await draft.write("kept");
  await draft.flush();
  await draft.write("lost");
  await expect(draft.flush()).rejects.toThrow("The disk is full.");
  await expect(draft.write("more")).rejects.toThrow("The disk is full.");
  await expect(draft.flush()).rejects.toThrow("The disk is full.");
  expect(store.pieces).toEqual(["kept"]);
});

test("a failure without a waiting caller is not lost", async () => {
  const store = createStore(0);
  const draft = createDraftWriter(store.append);
  await draft.write("lost");
  await vi.waitFor(() => expect(draft.write("")).rejects.toThrow("The disk is full."));
});

test("a draft over the limit in bytes is refused, and the text before is stored", async () => {
  const store = createStore();
  const full: unknown[] = [];
  const draft = createDraftWriter(store.append, {
    maxBytes: 5,
    onFull: (error) => full.push(error),
  });
  await draft.write("éé");
  const refusal = {
    code: "DRAFT_TOO_LARGE",
    message: "The draft has 6 bytes; the limit is 5 bytes",
  };
  await expect(draft.write("é")).rejects.toMatchObject(refusal);
  await expect(draft.write("")).rejects.toMatchObject(refusal);
  await expect(draft.flush()).rejects.toMatchObject(refusal);
  expect(full).toMatchObject([refusal]);
  expect(store.pieces).toEqual(["éé"]);
});

test("a draft of too many pieces is refused", async () => {
  const store = createStore();
  const draft = createDraftWriter(store.append, { maxPieces: 2 });
  for (const text of ["a", "b"]) {
    await draft.write(text);
    await draft.flush();
  }
  await draft.write("c");
  await expect(draft.flush()).rejects.toMatchObject({
    code: "DRAFT_TOO_LARGE",
    message: expect.stringContaining("more than 2 pieces"),
  });
  expect(store.pieces).toEqual(["a", "b"]);
});

test("calls that nothing awaits share one commit", async () => {
  const store = createStore();
  const draft = createDraftWriter(store.append);
  void draft.write("x".repeat(70_000));
  const answers = Array.from({ length: 1000 }, () => draft.write("y"));
  expect(new Set(answers).size).toBe(1);
  await draft.flush();
  expect(store.pieces.join("")).toHaveLength(71_000);
});
