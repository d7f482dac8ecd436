/**
 * People at a topic, as a stream. It has no history: each entry is the whole state, and replaces all before. A position is a
 * `rev` of the engine.
 */
import type { PresenceStore } from "#server/engine/contract.ts";
import type { PresenceState } from "#server/engine/presence-store.ts";
import type { Slice, Source } from "#server/streams/source.ts";
import { MAX_SHOWN_PEOPLE } from "#shared/limits.ts";
import {
  type Presence,
  type PresenceOf,
  presenceOf,
  type PresenceTopic,
} from "#shared/presence.ts";

/** Two reads a second at most, however many come and go. */
export const MIN_INTERVAL_MS = 500;

interface SourceOptions {
  tenant: string;
  topic: PresenceTopic;
  /** False for callers who may see no names. */
  named: boolean;
  now: () => Date;
}

export function createPresenceSource(
  store: Pick<PresenceStore, "read">,
  { tenant, topic, named, now }: SourceOptions,
): Source<Presence> {
  const of = presenceOf(topic);
  const load = () => store.read(tenant, topic, named ? MAX_SHOWN_PEOPLE : 0);
  function sliceOf(state: PresenceState, isNew: boolean): Slice<Presence> {
    const entries = isNew ? [{ pos: state.rev, value: valueOf(of, state, now()) }] : [];
    return { entries, head: state.rev, ended: false };
  }
  return {
    ref: { stream: "presence", tenant, topic },
    variant: named ? "names" : "numbers",
    sharesEntries: false,
    foldBeyond: 0,
    minIntervalMs: MIN_INTERVAL_MS,
    async read(after) {
      const state = await load();
      return sliceOf(state, state.rev > after);
    },
    current: async () => sliceOf(await load(), true),
    fromHint: () => undefined,
    fold: (_older, newer) => newer,
    markGap: ({ entries }) => entries,
  };
}

/** `readAt`: for a place where nothing is known to have changed. */
function valueOf(of: PresenceOf, state: PresenceState, readAt: Date): Presence {
  const { rev, people, guests, newest, typing, typists } = state;
  return {
    ...of,
    count: people + guests,
    guests,
    people: newest.map(({ user, since }) => ({ user, since: new Date(since) })),
    typing: { count: typing, people: typists },
    at: rev === 0 ? readAt : new Date(rev),
  };
}

/** For callers who may not see the others: the one state that they see. */
export function createOwnSource(tenant: string, user: string, since: Date): Source<Presence> {
  const people = [{ user, since }];
  const value = { count: 1, guests: 0, people, typing: { count: 0, people: [] }, at: since };
  const slice = { entries: [{ pos: 1, value }], head: 1, ended: false };
  return {
    ref: { stream: "presence", tenant, topic: "tenant" },
    variant: `own:${user}`,
    sharesEntries: false,
    foldBeyond: 0,
    minIntervalMs: MIN_INTERVAL_MS,
    read: async (after) => (after < 1 ? slice : { ...slice, entries: [] }),
    current: async () => slice,
    fromHint: () => undefined,
    fold: (_older, newer) => newer,
    markGap: ({ entries }) => entries,
  };
}
