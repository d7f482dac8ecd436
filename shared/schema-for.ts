/**
 * Holds a schema and an interface together: `schemaFor<Job>()(z.object({ … }))` does not compile unless the schema's output is
 * exactly the interface, optional fields included.
 */
export function schemaFor<Output>() {
  return <Schema extends { _zod: { output: unknown } }>(
    schema: Schema &
      (Same<Schema["_zod"]["output"], Output> extends true
        ? unknown
        : { "the schema's output is not exactly": Output }),
  ): Schema => schema;
}

/**
 * True for identical types: mere assignability would accept a field too many. Written in full, because TypeScript compares two
 * instances of one alias by their arguments, and there assignability is enough.
 */
// oxlint-disable typescript/no-unnecessary-type-parameters -- they defer the conditionals
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
