/**
 * Tells the engine who of a tenant is with this process: at once where little happens, and all that came meanwhile together
 * where much does. One call at a time is under way. A call that failed, and one that found that the engine has lost something, is
 * made good by the next beat.
 */
import type { PresenceStore } from "#server/engine/contract.ts";
import { ReadScheduler } from "#server/streams/read-scheduler.ts";
import { AppError, asError } from "#shared/errors.ts";
import type { PresenceTopic } from "#shared/presence.ts";
import { TopicPeople } from "./topic-people.ts";

/** Two calls a second at most, however many come and go. */
const MIN_INTERVAL_MS = 500;

export class TenantPeople {
  readonly #store: Pick<PresenceStore, "keep">;
  readonly #node: { tenant: string; node: string };
  readonly #ttlMs: number;
  readonly #topics = new Map<PresenceTopic, TopicPeople>();
  readonly #changed = new Set<PresenceTopic>();
  readonly #scheduler = new ReadScheduler(() => this.#tell(), MIN_INTERVAL_MS);
  #isBeatDue = false;
  /** Watchers that are not seen. */
  #lookers = 0;
  /** Of the call that tells what has changed since the last one began. */
  #next: PromiseWithResolvers<void> | undefined;

  constructor(
    store: Pick<PresenceStore, "keep">,
    node: { tenant: string; node: string },
    ttlMs: number,
  ) {
    this.#store = store;
    this.#node = node;
    this.#ttlMs = ttlMs;
  }

  /** Resolves when the engine was told, or could not be. */
  change(name: PresenceTopic, make: (topic: TopicPeople) => void): Promise<void> {
    const topic = this.#topics.get(name) ?? new TopicPeople(name);
    this.#topics.set(name, topic);
    make(topic);
    this.#changed.add(name);
    this.#next ??= Promise.withResolvers();
    const { promise } = this.#next;
    this.#scheduler.request();
    return promise;
  }

  /** A watcher that is not seen comes. Returns what lets it go, which may be called more than once. */
  look(): () => void {
    this.#lookers += 1;
    let looks = true;
    return () => {
      if (looks) this.#lookers -= 1;
      looks = false;
    };
  }

  /** Prolongs all that the engine was told, and lets it forget the people of processes that are gone. */
  beat(): void {
    this.#isBeatDue = true;
    this.#scheduler.request();
  }

  /** There is nothing to tell, nothing to prolong, and no watcher. */
  isIdle(): boolean {
    return this.#topics.size === 0 && this.#lookers === 0 && !this.#scheduler.isReading();
  }

  /** The engine forgets these people in `ttlMs`, if they are not with another process by then. */
  async end(ttlMs: number): Promise<void> {
    this.#scheduler.close();
    await this.#store.keep({ ...this.#node, ttlMs, holds: new Map(), changes: [] });
  }

  /** Never rejects. */
  async #tell(): Promise<void> {
    // All that happens in one tick is told together.
    await Promise.resolve();
    const told = this.#next;
    this.#next = undefined;
    await this.#call();
    told?.resolve();
  }

  async #call(): Promise<void> {
    const isBeat = this.#isBeatDue;
    const holds = isBeat ? this.#held() : new Map<PresenceTopic, number>();
    this.#isBeatDue = false;
    const names = [...this.#changed];
    this.#changed.clear();
    const changes = names.flatMap((name) => this.#topics.get(name)?.takeChanges() ?? []);
    for (const name of names)
      if (this.#topics.get(name)?.isEmpty() === true) this.#topics.delete(name);
    const isIdle = changes.length === 0 && holds.size === 0;
    if (isIdle && !(isBeat && this.#lookers > 0)) return;
    try {
      const call = { ...this.#node, ttlMs: this.#ttlMs, holds, changes };
      const differ = await this.#store.keep(call);
      for (const name of differ) this.#doubt(name);
      if (differ.length > 0) this.#scheduler.request();
    } catch (error) {
      for (const name of names) this.#doubt(name);
      if (!(error instanceof AppError)) process.emitWarning(asError(error));
    }
  }

  /** Without the topics that are to be told anew. */
  #held(): Map<PresenceTopic, number> {
    const held = new Map<PresenceTopic, number>();
    for (const [name, topic] of this.#topics)
      if (topic.held !== undefined) held.set(name, topic.held);
    return held;
  }

  /** It is told anew with the next call. */
  #doubt(name: PresenceTopic): void {
    const topic = this.#topics.get(name) ?? new TopicPeople(name);
    this.#topics.set(name, topic);
    topic.doubt();
    this.#changed.add(name);
  }
}
