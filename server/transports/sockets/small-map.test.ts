import fc from "fast-check";
import { expect, test } from "vitest";
import { SmallMap } from "./small-map.ts";

const key = fc.oneof(fc.nat({ max: 3 }), fc.constantFrom("0", "1"));
const command = fc.oneof(
  fc.record({ do: fc.constant("set" as const), key, value: fc.nat() }),
  fc.record({ do: fc.constant("delete" as const), key }),
);

const sorted = (values: Iterable<number>) => [...values].toSorted((a, b) => a - b);

test("behaves like a Map under any sequence of operations", () => {
  fc.assert(
    fc.property(fc.array(command), (commands) => {
      const few = new SmallMap<number | string, number>();
      const map = new Map<number | string, number>();
      for (const each of commands) {
        if (each.do === "set") {
          few.set(each.key, each.value);
          map.set(each.key, each.value);
        } else {
          few.delete(each.key);
          map.delete(each.key);
        }
        for (const at of [0, 1, 2, 3, "0", "1"]) {
          expect(few.get(at)).toBe(map.get(at));
          expect(few.has(at)).toBe(map.has(at));
        }
        expect(new Map(few.entries())).toEqual(map);
        expect(sorted(few.values())).toEqual(sorted(map.values()));
        expect(few.size).toBe(map.size);
      }
    }),
  );
});
