/** Keeps who is where. In memory: one process owns the data, so all people are with it. */
import type {
  PresenceCall,
  PresenceChange,
  PresenceState,
  Who,
} from "#server/engine/presence-store.ts";
import type { PresenceTopic } from "#shared/presence.ts";
import type { Hints } from "./hints.ts";

interface There {
  since: number;
  nodes: Set<string>;
}

interface Topic {
  rev: number;
  /** In the order in which they came. */
  people: Map<Who, There>;
  /** Each with the node that said so last. */
  typing: Map<Who, string>;
}

export interface Presence {
  keep(call: PresenceCall): PresenceTopic[];
  read(tenant: string, topic: PresenceTopic, limit: number): PresenceState;
}

export function createPresence(hints: Pick<Hints, "emit">, clock: () => number): Presence {
  /** By tenant. */
  const tenants = new Map<string, Map<PresenceTopic, Topic>>();
  /** The newest `rev` of any topic, so that one that was empty meanwhile does not go back. */
  let newest = 0;

  function topicOf(tenant: string, name: PresenceTopic): Topic {
    const topics = tenants.get(tenant) ?? new Map<PresenceTopic, Topic>();
    tenants.set(tenant, topics);
    const known = topics.get(name) ?? { rev: 0, people: new Map(), typing: new Map() };
    topics.set(name, known);
    return known;
  }

  function forgetEmpty(tenant: string, name: PresenceTopic, topic: Topic): void {
    if (topic.people.size > 0 || topic.typing.size > 0) return;
    const topics = tenants.get(tenant);
    topics?.delete(name);
    if (topics?.size === 0) tenants.delete(tenant);
  }

  return {
    keep({ tenant, node, holds, changes }) {
      const differs = [...holds].filter(
        ([name, count]) => countOf(tenants.get(tenant)?.get(name), node) !== count,
      );
      const changed = new Map<PresenceTopic, Topic>();
      for (const change of changes) {
        const topic = topicOf(tenant, change.topic);
        if (apply(topic, node, change)) changed.set(change.topic, topic);
        else forgetEmpty(tenant, change.topic, topic);
      }
      for (const [name, topic] of changed) {
        topic.rev = newest = Math.max(newest + 1, Math.floor(clock()));
        forgetEmpty(tenant, name, topic);
        hints.emit({ stream: "presence", tenant, topic: name }, {});
      }
      return differs.map(([name]) => name);
    },
    read(tenant, name, limit) {
      const topic = tenants.get(tenant)?.get(name);
      return topic === undefined ? EMPTY : stateOf(topic, limit);
    },
  };
}

const EMPTY: PresenceState = { rev: 0, people: 0, guests: 0, newest: [], typing: 0, typists: [] };

function countOf(topic: Topic | undefined, node: string): number {
  let count = 0;
  for (const { nodes } of topic?.people.values() ?? []) if (nodes.has(node)) count += 1;
  return count;
}

/** `true`: readers see a difference. */
function apply(topic: Topic, node: string, change: PresenceChange): boolean {
  const { typing } = topic;
  switch (change.what) {
    case "join":
      return join(topic, node, change.who, change.since);
    case "leave":
      return leave(topic, node, change.who);
    case "type": {
      const fresh = !typing.has(change.who);
      typing.set(change.who, node);
      return fresh;
    }
    case "stop":
      return typing.delete(change.who);
    case "end":
      return typing.get(change.who) === node && typing.delete(change.who);
    case "reset":
      return reset(topic, node);
    // One call has all between a reset and this.
    case "settle":
    case "done":
      return false;
    default:
      return change satisfies never;
  }
}

function join({ people }: Topic, node: string, who: Who, since: number): boolean {
  const known = people.get(who);
  if (known !== undefined) {
    known.nodes.add(node);
    return false;
  }
  people.set(who, { since, nodes: new Set([node]) });
  return true;
}

function leave({ people, typing }: Topic, node: string, who: Who): boolean {
  const there = people.get(who);
  if (there?.nodes.delete(node) !== true || there.nodes.size > 0) return false;
  typing.delete(who);
  return people.delete(who);
}

function reset(topic: Topic, node: string): boolean {
  const { people, typing } = topic;
  const typists = [...typing].filter(([, by]) => by === node);
  for (const [who] of typists) typing.delete(who);
  const left = [...people.keys()].map((who) => leave(topic, node, who));
  return typists.length > 0 || left.includes(true);
}

function stateOf({ rev, people, typing }: Topic, limit: number): PresenceState {
  const named = [...people].filter(([who]) => who.startsWith("u"));
  return {
    rev,
    people: named.length,
    guests: people.size - named.length,
    newest: named
      .toReversed()
      .toSorted(([, a], [, b]) => b.since - a.since)
      .slice(0, limit)
      .map(([who, { since }]) => ({ user: who.slice(1), since })),
    typing: typing.size,
    typists: [...typing.keys()]
      .filter((who) => who.startsWith("u"))
      .map((who) => who.slice(1))
      .toSorted()
      .slice(0, limit),
  };
}
