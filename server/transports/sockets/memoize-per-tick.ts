/** Memoizes `make` by the identity of its argument, within one tick. */
export function memoizePerTick<V extends object, M>(make: (value: V) => M): (value: V) => M {
  const made = new Map<V, M>();
  /** Fast path: most calls have the same argument as the call before. */
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
