import fc from "fast-check";
import { expect, test } from "vitest";
import { textFrame } from "#server/transports/sockets/text-frame.ts";
import { createFrameCounter } from "./frames.ts";

const texts = fc.array(
  fc.oneof(
    fc.string(),
    fc.integer({ min: 120, max: 70_000 }).map((length) => "x".repeat(length)),
  ),
  { maxLength: 8 },
);

test("every frame is counted once and kept whole, at any split of the bytes", () => {
  fc.assert(
    fc.property(
      texts,
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }),
      (sent, cuts) => {
        const stream = Buffer.concat(sent.map((text) => textFrame(text)));
        const counter = createFrameCounter({ keep: true });
        const read: (string | undefined)[] = [];
        let at = 0;
        for (let cut = 0; at < stream.length; cut += 1) {
          const size = cuts[cut % cuts.length] ?? 1;
          // A copy that is overwritten below, like the reused read buffer of a socket.
          const chunk = Buffer.from(stream.subarray(at, at + size));
          counter.take(chunk, (payload) => read.push(payload?.toString()));
          chunk.fill(0);
          at += size;
        }
        expect(read).toEqual(sent.map((text) => Buffer.from(text).toString()));
      },
    ),
  );
});

test("frames are not kept when only counting", () => {
  const counter = createFrameCounter({ keep: false });
  const read: unknown[] = [];
  counter.take(Buffer.concat(["one", "", "three"].map((text) => textFrame(text))), (payload) =>
    read.push(payload),
  );
  expect(read).toEqual([undefined, undefined, undefined]);
});
