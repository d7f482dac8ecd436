import fc from "fast-check";
import { expect, test } from "vitest";
import type { PresenceTopic } from "./presence.ts";
import {
  sessionKey,
  type SessionStreamRef,
  sessionStreamOf,
  streamKey,
  type StreamRef,
} from "./stream-ref.ts";

/** Few characters, so that names run into each other. */
const name = fc.string({ unit: fc.constantFrom("1", ":", "a", "job"), minLength: 1, maxLength: 4 });
const topic = fc.oneof(
  fc.constant<PresenceTopic>("tenant"),
  fc.tuple(fc.constantFrom("job", "batch"), name).map((parts) => parts.join(":") as PresenceTopic),
);
const jobOrBatch = fc.oneof(
  name.map((jobId) => ({ stream: "job", jobId }) as const),
  name.map((batchId) => ({ stream: "batch", batchId }) as const),
);
const sessionStream = fc.oneof<fc.Arbitrary<SessionStreamRef>[]>(
  jobOrBatch,
  fc.boolean().map((allOwners) => ({ stream: "feed", allOwners })),
  topic.map((of) => ({ stream: "presence", topic: of })),
);
const anyStream = fc.oneof<fc.Arbitrary<StreamRef>[]>(
  jobOrBatch,
  fc
    .tuple(name, topic)
    .map(([tenant, of]): StreamRef => ({ stream: "presence", tenant, topic: of })),
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
      expect(sessionStreamOf(sessionKey(ref))).toEqual(ref);
    }),
  );
  expect(sessionKey({ stream: "job", jobId: "j:1" })).toBe("job:j:1");
  expect(sessionKey({ stream: "batch", batchId: "b" })).toBe("batch:b");
  expect(sessionKey({ stream: "feed", allOwners: false })).toBe("feed:own");
});
