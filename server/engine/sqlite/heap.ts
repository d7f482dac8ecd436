/**
 * A binary heap whose items know their place in it, so that any of them can be moved or removed in logarithmic time. A class,
 * as a queue has one for each tenant and kind.
 */

/** The place of an item that is not in the heap. */
export const OUTSIDE = -1;

/** `slot`: the field of an item that holds its place; `OUTSIDE` at first. `isBefore` is a strict order. */
export class Heap<Slot extends string, Item extends Record<Slot, number>> {
  readonly #items: Item[] = [];
  readonly #slot: Slot;
  readonly #isBefore: (one: Item, other: Item) => boolean;

  constructor(slot: Slot, isBefore: (one: Item, other: Item) => boolean) {
    this.#slot = slot;
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  first(): Item | undefined {
    return this.#items[0];
  }

  has(item: Item): boolean {
    return item[this.#slot] !== OUTSIDE;
  }

  /** Adds it, or moves it to its place after its order changed. */
  put(item: Item): void {
    const at = this.has(item) ? item[this.#slot] : this.#items.length;
    if (!this.#rises(item, at)) this.#sink(item, at);
  }

  remove(item: Item): void {
    const at = item[this.#slot];
    if (at === OUTSIDE) return;
    this.#set(item, OUTSIDE);
    const last = this.#items.pop() as Item;
    if (last === item) return;
    if (!this.#rises(last, at)) this.#sink(last, at);
  }

  /** Moves the item up from a place that is free. Returns whether it moved; if not, it still has no place. */
  #rises(item: Item, from: number): boolean {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#items[above] as Item;
      if (!this.#isBefore(item, parent)) break;
      this.#place(parent, at);
      at = above;
    }
    if (at === from) return false;
    this.#place(item, at);
    return true;
  }

  #sink(item: Item, from: number): void {
    const items = this.#items;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= items.length) break;
      const right = below + 1;
      if (right < items.length && this.#isBefore(items[right] as Item, items[below] as Item)) {
        below = right;
      }
      const child = items[below] as Item;
      if (!this.#isBefore(child, item)) break;
      this.#place(child, at);
      at = below;
    }
    this.#place(item, at);
  }

  #place(item: Item, at: number): void {
    this.#items[at] = item;
    this.#set(item, at);
  }

  #set(item: Record<Slot, number>, at: number): void {
    item[this.#slot] = at;
  }
}
