/** superjson, except that outputs keep keys named `__proto__`: deserialised in place, because its copy drops them. */
import superjson from "superjson";

type Envelope = ReturnType<typeof superjson.serialize>;

export const transformer = {
  serialize: (input: unknown) => superjson.serialize(input),
  deserialize: (output: Envelope): unknown => superjson.deserialize(output, { inPlace: true }),
};
