/**
 * A list of all fields of a record: `allOf<keyof Job>()("id", "kind", …)` does not compile while one is missing. Codecs
 * that store values without names take their order from it.
 */
export function allOf<Field extends string>() {
  return <const List extends readonly Field[]>(
    ...fields: List & ([Exclude<Field, List[number]>] extends [never] ? unknown : never)
  ): List => fields;
}

/** The values of these fields of a record, in their order. */
export type ValuesOf<Row, Fields extends readonly (keyof Row)[]> = {
  -readonly [Index in keyof Fields]: Row[Fields[Index]];
};
