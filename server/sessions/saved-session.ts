/** One session, from the side of the connection that holds it. */
import { setImmediate, setTimeout } from "node:timers/promises";
import type { Engine, SessionRef } from "#server/engine/contract.ts";

export interface Holder {
  /** The unique id of this connection. */
  readonly id: string;
  /** All entries to save: whole numbers by name. Called even after the connection has closed. */
  entries(): Iterable<readonly [name: string, value: number]>;
  /** Called once, when another connection has taken the session. */
  evicted(): void;
}

/** Time between saves that only renew the session. A session lives for at least ten minutes after its holder's end. */
const RENEW_MS = 60_000;
/** Minimum time between saves. A client that subscribes to a thousand jobs sends a thousand requests. */
const GATHER_MS = 25;

const NOTHING: ReadonlyMap<string, null> = new Map();

/**
 * Saves are single-flight: one is under way at a time, and the next begins after `GATHER_MS` with all changes since. If a save
 * fails, the session continues, and the next save writes everything.
 */
export class SavedSession {
  readonly #store: Pick<Engine, "saveSession" | "endSession">;
  readonly #ref: SessionRef;
  readonly #holder: Holder;
  /** Pending and running saves of all sessions. */
  readonly #saving: Set<Promise<void>>;
  #changed: Map<string, number | null> | undefined;
  /** True if the next save must write all entries. */
  #whole: boolean;
  #isStored: boolean;
  #isOver = false;
  #savedAt = -Infinity;
  #underWay: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(
    store: Pick<Engine, "saveSession" | "endSession">,
    ref: SessionRef,
    holder: Holder,
    { isStored, saving }: { isStored: boolean; saving: Set<Promise<void>> },
  ) {
    this.#store = store;
    this.#ref = ref;
    this.#holder = holder;
    this.#whole = !isStored;
    this.#isStored = isStored;
    this.#saving = saving;
  }

  /** `null` deletes the entry. Resolves when the change is stored, or when the attempt has failed. */
  change(name: string, value: number | null): Promise<void> {
    this.#changed ??= new Map();
    this.#changed.set(name, value);
    return this.#save();
  }

  /** Call it regularly while the holder is connected. */
  renew(): void {
    if (performance.now() - this.#savedAt >= RENEW_MS) void this.#save();
  }

  /** Deletes the session, because its client has left for good. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void this.#noted(this.#forget());
  }

  #save(): Promise<void> {
    this.#next ??= this.#noted(this.#saveAfter(this.#underWay));
    return this.#next;
  }

  #noted(work: Promise<void>): Promise<void> {
    this.#saving.add(work);
    void work.then(() => this.#saving.delete(work));
    return work;
  }

  async #saveAfter(before: Promise<void> | undefined): Promise<void> {
    await before;
    const wait = GATHER_MS - (performance.now() - this.#savedAt);
    // At least one tick, so that all changes of a tick are one save.
    await (wait > 0 ? setTimeout(wait) : setImmediate());
    this.#underWay = this.#next;
    this.#next = undefined;
    await this.#write();
    if (this.#next === undefined) this.#underWay = undefined;
  }

  async #write(): Promise<void> {
    if (this.#isOver) return;
    const whole = this.#whole;
    const entries = whole ? new Map(this.#holder.entries()) : (this.#changed ?? NOTHING);
    this.#changed = undefined;
    if (entries.size === 0 && !this.#isStored) return;
    this.#whole = false;
    this.#savedAt = performance.now();
    try {
      const saved = await this.#store.saveSession(this.#ref, this.#holder.id, { entries, whole });
      this.#isStored = saved === "saved";
      if (saved === "taken") return this.#evict();
      if (saved === "missing") {
        this.#whole = true;
        await this.#write();
      }
    } catch {
      this.#whole = true;
    }
  }

  #evict(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#holder.evicted();
  }

  /** Deletes at once, as the client may return at once; and again if a save under way may have recreated the session. */
  async #forget(): Promise<void> {
    const underWay = this.#underWay;
    if (this.#isStored || underWay !== undefined) await this.#drop();
    if (underWay === undefined) return;
    await underWay;
    if (this.#isStored) await this.#drop();
  }

  async #drop(): Promise<void> {
    // If this fails, the session expires.
    await this.#store.endSession(this.#ref, this.#holder.id).catch(() => {});
  }
}
