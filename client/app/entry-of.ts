/**
 * The entry of a table; `undefined` for a key that this version does not know: the page may be older than the server (C2 in
 * SPEC.md), for as long as a tab stays open. Pure.
 */
export function entryOf<Key extends string, Value>(
  table: Readonly<Record<Key, Value>>,
  key: Key,
): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
