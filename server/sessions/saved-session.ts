/** One session, as the connection has it that holds it. */
import { setImmediate, setTimeout } from "node:timers/promises";
import type { Engine, SessionRef } from "#server/engine/contract.ts";

export interface Holder {
  /** Of this connection; no other one has it. */
  readonly id: string;
  /** All that is to be remembered: whole numbers by names. Also asked for after the connection is over. */
  entries(): Iterable<readonly [name: string, value: number]>;
  /** Another connection has the session now. Called once. */
  evicted(): void;
}

/** Between two saves that only say that the holder is there. One that is lost then is kept for ten minutes at least. */
const RENEW_MS = 60_000;
/** From one save to the next. A client that subscribes to a thousand jobs sends a thousand requests. */
const GATHER_MS = 25;

const NOTHING: ReadonlyMap<string, null> = new Map();

/**
 * Saves are gathered: one is under way at a time, one begins in `GATHER_MS`, and it takes all that changed since. Where the
 * data cannot be written the session goes on without, and the next save has everything.
 */
export class SavedSession {
  readonly #store: Pick<Engine, "saveSession" | "endSession">;
  readonly #ref: SessionRef;
  readonly #holder: Holder;
  /** The work of all sessions that is under way, or about to be. */
  readonly #saving: Set<Promise<void>>;
  #changed: Map<string, number | null> | undefined;
  /** Everything is to be saved. */
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

  /** `null`: not any more. Resolves when it is stored, or when that was tried. */
  change(name: string, value: number | null): Promise<void> {
    this.#changed ??= new Map();
    this.#changed.set(name, value);
    return this.#save();
  }

  /** To be called from time to time while the holder is there. */
  renew(): void {
    if (performance.now() - this.#savedAt >= RENEW_MS) void this.#save();
  }

  /** Forgets the session: its client has left for good. */
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
    // Changes of one tick are one save in any case.
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

  /** At once, as the client may come back at once; and again where a save was under way that may have made it anew. */
  async #forget(): Promise<void> {
    const underWay = this.#underWay;
    if (this.#isStored || underWay !== undefined) await this.#drop();
    if (underWay === undefined) return;
    await underWay;
    if (this.#isStored) await this.#drop();
  }

  async #drop(): Promise<void> {
    // Where that fails, the session is forgotten when its time is over.
    await this.#store.endSession(this.#ref, this.#holder.id).catch(() => {});
  }
}
