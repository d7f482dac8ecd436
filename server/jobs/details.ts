/** The details that a kind's code reports, as they are stored. */
import type { AnyKind } from "#server/kinds/define.ts";
import { checkedJson } from "./checked-json.ts";

/** Throws as `checkedJson` does, and a `TypeError` where the kind has no schema of details. */
export function checkedDetails(
  { name, details: schema }: Pick<AnyKind, "name" | "details">,
  given: unknown,
): unknown {
  if (schema === undefined) {
    throw new TypeError(
      `\`progress\` was given details, but the kind "${name}" declares none. Add a \`details\` schema to the kind`,
    );
  }
  return checkedJson(schema, given, "details");
}
