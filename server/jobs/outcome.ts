/** Turns the outcome that a kind returned into the change that ends its job. */
import { Failure } from "#server/kinds/define.ts";
import { cutText } from "#shared/cut-text.ts";
import { MAX_MESSAGE_CHARS, MAX_OUTPUT_BYTES } from "#shared/limits.ts";
import { pathText } from "./copy-as-json.ts";
import { plainJson } from "./plain-json.ts";
import type { Ending } from "./retry.ts";

/** Throws a `TypeError` where the value is no outcome, and `OUTPUT_TOO_LARGE` where its output is too large. */
export function endingOf(outcome: unknown): Ending {
  if (typeof outcome !== "object" || outcome === null) {
    throw new TypeError(`\`run\` must return an outcome, but it returned ${show(outcome)}`);
  }
  const { status, message, output } = outcome as Record<string, unknown>;
  if (status !== "delivered" && status !== "blocked") {
    throw new TypeError(
      `The \`status\` of an outcome must be "delivered" or "blocked", but it is ${show(status)}`,
    );
  }
  if (typeof message !== "string") {
    throw new TypeError(`The \`message\` of an outcome must be text, but it is ${show(message)}`);
  }
  const plain = plainJson(output, MAX_OUTPUT_BYTES, "output");
  if (plain.ok) {
    const action = status === "delivered" ? "deliver" : "block";
    return { action, message: cutText(message, MAX_MESSAGE_CHARS), output: plain.value };
  }
  const at = plain.path.length === 0 ? "" : ` at ${pathText(plain.path)}`;
  const text = `The \`output\` of an outcome${at} ${plain.what}`;
  throw plain.fault === "large" ? new Failure("OUTPUT_TOO_LARGE", text) : new TypeError(text);
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(cutText(value, 40));
  return value === null ? "null" : typeof value;
}
