/** Turns the value that a kind returned into the change that ends its job. */
import { type AnyKind, outcomeOf } from "#server/kinds/define.ts";
import { cutText } from "#shared/cut-text.ts";
import { MAX_MESSAGE_CHARS } from "#shared/limits.ts";
import { checkedJson } from "./checked-json.ts";
import { runForeign, warnOfStray } from "./foreign-code.ts";
import type { Ending } from "./retry.ts";

/** Throws a `TypeError` for a message that is no text, and as `checkedJson` does for the output. Calls the code of the schema. */
export function endingOf(returned: unknown, schema: AnyKind["output"]): Ending {
  const { status, message, output } = outcomeOf(returned);
  if (typeof message !== "string") {
    const what = message === null ? "null" : typeof message;
    throw new TypeError(`The \`message\` of an outcome must be text, but it is ${what}`);
  }
  const stored = runForeign(warnOfStray, () => checkedJson(schema, output, "output"));
  const action = status === "delivered" ? "deliver" : "block";
  return { action, message: cutText(message, MAX_MESSAGE_CHARS), output: stored };
}
