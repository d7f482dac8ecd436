/**
 * The part of an engine that knows who is where. A node, which is a process with connections, says who is there with it; a
 * person is there while any node says so. With `multiProcess`, the people of a node are gone `ttlMs` after it last called
 * `keep`, once another node calls it; a node that was late itself gives the others a third of that more. Nothing survives the closing of an embedded engine. Changes of what `read` answers are
 * hinted to the stream `presence`. Its errors are those of every method of an engine (`contract.ts`).
 */
import type { PresenceTopic } from "#shared/presence.ts";

export interface PresenceStore {
  /**
   * Prolongs what the node said, makes its changes, in order, and forgets nodes that are gone. Returns the topics of `holds`
   * where the engine has another number of people of this node, because data were lost: the node says `reset`, all `join` again,
   * and `settle`.
   */
  keep(call: PresenceCall): Promise<PresenceTopic[]>;
  /** Of all nodes, with `limit` names at most. */
  read(tenant: string, topic: PresenceTopic, limit: number): Promise<PresenceState>;
}

export interface PresenceCall {
  tenant: string;
  node: string;
  ttlMs: number;
  /** How many people the node has said to be at a topic, before these changes. */
  holds: ReadonlyMap<PresenceTopic, number>;
  changes: readonly PresenceChange[];
}

/** A person with a user id, or one without. Each differs from all others of its tenant. */
export type Who = `u${string}` | `g${string}`;

export type PresenceChange = { readonly topic: PresenceTopic } & (
  | {
      readonly what: "join";
      readonly who: Who;
      /**
       * In milliseconds since the epoch. It stays for someone who is there already. With `multiProcess` it is the engine's time where
       * it is later than that.
       */
      readonly since: number;
    }
  | {
      readonly what:
        | "leave"
        /** Writes now. Who leaves for good writes no more. */
        | "type"
        /** Writes no more, whichever node said so. */
        | "stop"
        /** The same, if this node was the last one to say that they write. */
        | "end";
      readonly who: Who;
    }
  | {
      readonly what:
        /**
         * This node says anew who is there and who writes. None writes by its word any more, and those who do not `join` again before
         * `settle`, which may be in a later call, are there no more.
         */
        | "reset"
        | "settle"
        /** This node says nothing more of the topic. */
        | "done";
    }
);

export interface PresenceState {
  /** Grows with each change; 0: there was none. Its value is about the time of the change in milliseconds since the epoch. */
  rev: number;
  people: number;
  guests: number;
  /** Those with a user id who came last, newest first. */
  newest: { user: string; since: number }[];
  /** How many write. */
  typing: number;
  /** Some of them: those with a user id, in the order of their ids. */
  typists: string[];
}
