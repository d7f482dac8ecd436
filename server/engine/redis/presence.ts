/** Stores who is where: `scripts/keep-presence.lua` says how it is stored. Time is that of Redis. */
import type {
  PresenceCall,
  PresenceChange,
  PresenceState,
  PresenceStore,
} from "#server/engine/presence-store.ts";
import type { PresenceTopic } from "#shared/presence.ts";
import type { Keys } from "./keys.ts";
import type { RunScript } from "./scripts.ts";

/** Changes and topics of one script, and people of dead nodes that it forgets: so that none takes Redis for long. */
const MOST_AT_ONCE = 200;

type Part = readonly [holds: [PresenceTopic, number][], changes: readonly PresenceChange[]];

const NOTHING: Part = [[], []];

export function createPresence(run: RunScript, keys: Keys): PresenceStore {
  async function keepPart(call: PresenceCall, [holds, changes]: Part): Promise<PresenceTopic[]> {
    const [more, ...differ] = await run<[number, ...PresenceTopic[]]>(
      "keep-presence",
      keys.tenant(call.tenant),
      call.node,
      call.ttlMs,
      MOST_AT_ONCE,
      holds.length,
      holds.flatMap(([topic, count]) => [topic, `${count}`]),
      changes.flatMap(argumentsOf),
    );
    if (more === 1) await keepPart(call, NOTHING);
    return differ;
  }

  return {
    async keep(call) {
      const differ: PresenceTopic[] = [];
      for (const part of partsOf(call)) differ.push(...(await keepPart(call, part)));
      return differ;
    },
    async read(tenant, topic, limit) {
      const [rev, people, guests, typing, writing, newest] = await run<
        [string, number, number, number, string[], string[]]
      >("read-presence", keys.tenant(tenant), topic, limit);
      const state: PresenceState = {
        rev: Number(rev),
        people,
        guests,
        newest: [],
        typing,
        typists: writing
          .filter((who) => who.startsWith("u"))
          .map((who) => who.slice(1))
          .toSorted()
          .slice(0, limit),
      };
      for (let at = 0; at < newest.length; at += 2) {
        state.newest.push({ user: (newest[at] ?? "").slice(1), since: Number(newest[at + 1]) });
      }
      return state;
    },
  };
}

/** All numbers are compared before the first change. */
function partsOf({ holds, changes }: PresenceCall): Part[] {
  const all = [...holds];
  if (all.length + changes.length <= MOST_AT_ONCE) return [[all, changes]];
  return [
    ...pieces(all).map((piece): Part => [piece, []]),
    ...pieces(changes).map((piece): Part => [[], piece]),
  ];
}

function argumentsOf(change: PresenceChange): string[] {
  const { topic, what } = change;
  return [
    topic,
    what,
    "who" in change ? change.who : "",
    "since" in change ? `${change.since}` : "",
  ];
}

function pieces<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / MOST_AT_ONCE);
  return Array.from({ length: count }, (_, index) =>
    items.slice(index * MOST_AT_ONCE, (index + 1) * MOST_AT_ONCE),
  );
}
