/** Makes something from each value once for all who want it within one tick, and keeps nothing longer than that. */
export function onceATick<V extends object, M>(make: (value: V) => M): (value: V) => M {
  const made = new Map<V, M>();
  const forget = () => made.clear();
  return (value) => {
    let known = made.get(value);
    if (known === undefined) {
      if (made.size === 0) setImmediate(forget);
      known = make(value);
      made.set(value, known);
    }
    return known;
  };
}
