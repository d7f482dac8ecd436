/** A schema and its interface cannot drift apart. */
import { z } from "zod";
import { schemaFor } from "./schema-for.ts";

interface Row {
  id: string;
  state: "on" | "off";
  note?: string | undefined;
  by: { user: string } | null;
}
const state = z.enum(["on", "off"]);
const by = z.object({ user: z.string() }).nullable();

// A schema of exactly the interface compiles, and keeps its own type.
{
  const schema = schemaFor<Row>()(
    z.object({ id: z.uuid(), state, note: z.string().max(9).optional(), by }),
  );
  schema.shape.note.unwrap();
  schemaFor<Row[]>()(z.array(schema));
  schemaFor<{ id: string } | { at: Date }>()(
    z.union([z.object({ id: z.string() }), z.object({ at: z.date() })]),
  );
}

// A schema that differs in any field does not compile.
{
  // @ts-expect-error: a field is missing
  schemaFor<Row>()(z.object({ id: z.string(), state, by }));
  schemaFor<Row>()(
    // @ts-expect-error: a field too many
    z.object({ id: z.string(), state, note: z.string().optional(), by, more: z.string() }),
  );
  schemaFor<Row>()(
    // @ts-expect-error: an optional field too many
    z.object({ id: z.string(), state, note: z.string().optional(), by, more: z.int().optional() }),
  );
  // @ts-expect-error: a required field that the interface has as optional
  schemaFor<Row>()(z.object({ id: z.string(), state, note: z.string(), by }));
  schemaFor<Row>()(
    // @ts-expect-error: a narrower type
    z.object({ id: z.string(), state: z.literal("on"), note: z.string().optional(), by }),
  );
  schemaFor<Row>()(
    // @ts-expect-error: a wider type
    z.object({ id: z.string(), state: z.string(), note: z.string().optional(), by }),
  );
  schemaFor<Row>()(
    // @ts-expect-error: another type within a field
    z.object({ id: z.string(), state, note: z.string().optional(), by: by.unwrap() }),
  );
  // @ts-expect-error: a field of any type
  schemaFor<Row>()(z.object({ id: z.any(), state, note: z.string().optional(), by }));
  // @ts-expect-error: a member of a union is missing
  schemaFor<{ id: string } | { at: Date }>()(z.object({ id: z.string() }));
}
