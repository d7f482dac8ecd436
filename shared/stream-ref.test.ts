import fc from "fast-check";
import { expect, test } from "vitest";
import { type SessionStreamRef, sessionStreamOf, streamKey, type StreamRef } from "./stream-ref.ts";

/** Few characters, so that names run into each other. */
const name = fc.string({ unit: fc.constantFrom("1", ":", "a", "job"), minLength: 1, maxLength: 4 });
const sessionStream = fc.oneof(
  name.map((jobId): SessionStreamRef => ({ stream: "job", jobId })),
  name.map((batchId): SessionStreamRef => ({ stream: "batch", batchId })),
);
const anyStream = fc.oneof(
  sessionStream,
  name.map((jobId): StreamRef => ({ stream: "draft", jobId })),
  fc
    .tuple(name, fc.option(name, { nil: undefined }))
    .map(([tenant, owner]): StreamRef => ({ stream: "feed", of: { tenant, owner } })),
);

test("two streams have one key only where they are one stream", () => {
  fc.assert(
    fc.property(anyStream, anyStream, (one, other) => {
      expect(streamKey(one) === streamKey(other)).toBe(
        JSON.stringify(one) === JSON.stringify(other),
      );
    }),
    { numRuns: 5000 },
  );
});

test("[L5] a session's key gives back its stream, whatever the id", () => {
  fc.assert(
    fc.property(sessionStream, (ref) => {
      expect(sessionStreamOf(streamKey(ref))).toEqual(ref);
    }),
  );
  expect(streamKey({ stream: "job", jobId: "j:1" })).toBe("job:j:1");
  expect(streamKey({ stream: "batch", batchId: "b" })).toBe("batch:b");
});
