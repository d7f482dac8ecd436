/** Makes something from each value once for all who want it within one tick, and keeps nothing longer than that. */
export function memoizePerTick<V extends object, M>(make: (value: V) => M): (value: V) => M {
  const made = new Map<V, M>();
  /** Of many who want something, most want what the one before them got. */
  let last: { value: V; made: M } | undefined;
  const forget = () => {
    made.clear();
    last = undefined;
  };
  return (value) => {
    if (last?.value === value) return last.made;
    let known = made.get(value);
    if (known === undefined) {
      if (made.size === 0) setImmediate(forget);
      known = make(value);
      made.set(value, known);
    }
    last = { value, made: known };
    return known;
  };
}
