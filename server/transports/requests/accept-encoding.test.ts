import fc from "fast-check";
import { expect, test } from "vitest";
import { codingFor, withVary } from "./accept-encoding.ts";

const both = (accepted: string | undefined) => codingFor(accepted, ["br", "gzip"]);

test.each<[string | undefined, "br" | "gzip" | undefined]>([
  [undefined, undefined],
  ["", undefined],
  ["gzip, deflate, br, zstd", "br"],
  ["gzip, deflate", "gzip"],
  ["x-gzip", "gzip"],
  ["GZIP", "gzip"],
  ["deflate, zstd", undefined],
  ["*", "br"],
  ["*;q=0.5, br;q=0", "gzip"],
  ["br;q=0, gzip;q=0", undefined],
  ["br;q=0.5, gzip;q=0.8", "gzip"],
  ["gzip;q=0.001", "gzip"],
  ["gzip;q=0.000", undefined],
  ["identity, gzip;q=0.5", undefined],
  ["identity, gzip", "gzip"],
  ["identity;q=0, gzip;q=0.1", "gzip"],
  ["identity;q=0", undefined],
  ["*;q=0", undefined],
  ["*;q=0, gzip", "gzip"],
  ["gzip ; Q=1.000 , br ; q=0.9", "gzip"],
  ["gzip;q=2", undefined],
  ["gzip;q=1.5", "gzip"],
  ["gzip;q=no", undefined],
  ["gzip;level=9", undefined],
  [",,;;,", undefined],
  ["brotli, mygzip", undefined],
])("[Z5] Accept-Encoding: %s is answered with %s", (accepted, coding) => {
  expect(both(accepted)).toBe(coding);
});

test("[Z5] whatever the header is, a coding that it refuses is not used", () => {
  const part = fc.tuple(
    fc.constantFrom("br", "gzip", "*", "identity", "deflate"),
    fc.constantFrom("", ";q=0", ";q=0.0", ";q=1", ";q=0.3"),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const coding = both(parts.map((each) => each.join("")).join(", "));
      if (coding === undefined) return;
      const own =
        parts.findLast(([name]) => name === coding) ?? parts.findLast(([name]) => name === "*");
      expect(own?.[1]).not.toMatch(/^;q=0(?:\.0)?$/);
      expect(own).toBeDefined();
    }),
  );
});

test("a name is added to `Vary` once, and never to `*`", () => {
  expect(withVary(undefined, "Accept-Encoding")).toBe("Accept-Encoding");
  expect(withVary("Origin", "Accept-Encoding")).toBe("Origin, Accept-Encoding");
  expect(withVary("origin, accept-encoding", "Accept-Encoding")).toBe("origin, accept-encoding");
  expect(withVary("*", "Accept-Encoding")).toBe("*");
});
