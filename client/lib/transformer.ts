/** superjson, but that outputs keep keys `__proto__`: it deserialises in place, and its copy would lack them. */
import superjson from "superjson";

type Envelope = ReturnType<typeof superjson.serialize>;

export const transformer = {
  serialize: (input: unknown) => superjson.serialize(input),
  deserialize: (output: Envelope): unknown => superjson.deserialize(output, { inPlace: true }),
};
