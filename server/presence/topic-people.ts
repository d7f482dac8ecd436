/**
 * The people of this process at one topic, and what the engine was last told of them. The difference of the two is what the
 * engine has to be told: so it costs nothing that a person comes and goes between two calls.
 */
import type { PresenceChange, Who } from "#server/engine/presence-store.ts";
import type { PresenceTopic } from "#shared/presence.ts";

type Typing = "type" | "stop" | "end";

export class TopicPeople {
  readonly #topic: PresenceTopic;
  /** The people here, and since when. */
  readonly #here = new Map<Who, number>();
  /** The people of whom the engine was told that they are here. */
  #told = new Set<Who>();
  readonly #changed = new Set<Who>();
  readonly #typing = new Set<Who>();
  readonly #typingChanges = new Map<Who, Typing>();
  /** The engine may have something else than it was told. */
  #isUnsure = false;

  constructor(topic: PresenceTopic) {
    this.#topic = topic;
  }

  join(who: Who, since: number): void {
    if (!this.#here.has(who)) this.#here.set(who, since);
    this.#changed.add(who);
  }

  leave(who: Who): void {
    this.#here.delete(who);
    this.#changed.add(who);
  }

  setTyping(who: Who, what: Typing): void {
    if (what === "type") this.#typing.add(who);
    else this.#typing.delete(who);
    this.#typingChanges.set(who, what);
  }

  /** The number that the engine was told; `undefined`: it is to be told all of them anew. */
  get held(): number | undefined {
    return this.#isUnsure ? undefined : this.#told.size;
  }

  isEmpty(): boolean {
    return this.#here.size === 0 && this.#typing.size === 0;
  }

  /** The engine was not reached, or has lost something. */
  doubt(): void {
    this.#isUnsure = true;
  }

  /** Returns what the engine has to be told. From here on it counts as told, until `doubt`. */
  takeChanges(): PresenceChange[] {
    const topic = this.#topic;
    const changes = this.#isUnsure ? this.#everything() : this.#differences();
    for (const [who, what] of this.#typingChanges) changes.push({ topic, what, who });
    this.#isUnsure = false;
    this.#changed.clear();
    this.#typingChanges.clear();
    if (this.isEmpty()) changes.push({ topic, what: "done" });
    return changes;
  }

  #differences(): PresenceChange[] {
    const topic = this.#topic;
    const changes: PresenceChange[] = [];
    for (const who of this.#changed) {
      const since = this.#here.get(who);
      const isTold = this.#told.has(who);
      if (since !== undefined && !isTold) {
        this.#told.add(who);
        changes.push({ topic, what: "join", who, since });
      } else if (since === undefined && isTold) {
        this.#told.delete(who);
        changes.push({ topic, what: "leave", who });
      }
    }
    return changes;
  }

  #everything(): PresenceChange[] {
    const topic = this.#topic;
    const changes: PresenceChange[] = [{ topic, what: "reset" }];
    this.#told = new Set(this.#here.keys());
    for (const [who, since] of this.#here) changes.push({ topic, what: "join", who, since });
    for (const who of this.#typing) changes.push({ topic, what: "type", who });
    changes.push({ topic, what: "settle" });
    return changes;
  }
}
