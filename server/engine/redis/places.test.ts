import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeEntry,
  encodeEntry,
  entriesTogether,
  type Entry,
  namesWith,
  ownEntry,
  placesTogether,
  sharedEntry,
} from "./places.ts";

const ids = fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 40 });

/** An entry after a round trip through Redis. */
function stored(entry: Entry): Entry {
  return decodeEntry(entry.name, JSON.parse(JSON.stringify(encodeEntry(entry))));
}

test("each place is in one entry, in order, and an entry survives encoding", () => {
  fc.assert(
    fc.property(ids, (jobIds) => {
      const places = placesTogether(jobIds);
      const entries = entriesTogether("acme", places);
      expect(entries.flatMap((entry) => entry.places)).toEqual(places);
      expect(places.map(({ jobId }) => jobId)).toEqual(jobIds);
      expect(new Set(entries.map(({ name }) => name)).size).toBe(entries.length);
      expect(entries.map(stored)).toEqual(entries);
      for (const place of places) {
        expect(stored(ownEntry("acme", place))).toEqual(ownEntry("acme", place));
      }
    }),
  );
});

test("however entries are split, a place determines the names of the entries that can contain it", () => {
  fc.assert(
    fc.property(ids, fc.nat(), (jobIds, at) => {
      for (const entry of entriesTogether("acme", placesTogether(jobIds))) {
        const rest = sharedEntry("acme", entry.places.slice(at % entry.places.length));
        expect(stored(rest)).toEqual(rest);
        for (const each of [entry, rest]) {
          for (const place of each.places) expect(namesWith(place)).toContain(each.name);
        }
        const others = jobIds.filter((id) => !entry.places.some(({ jobId }) => jobId === id));
        for (const jobId of others) {
          const place = placesTogether(jobIds).find((each) => each.jobId === jobId);
          expect(place && namesWith(place)).not.toContain(entry.name);
        }
      }
    }),
  );
});
