/** Checks a value against a schema of a kind: its input, details or output. */
import { z } from "zod";
import type { Schema } from "#server/kinds/define.ts";
import { cutText } from "#shared/cut-text.ts";
import { type InputIssue, isInstance } from "#shared/errors.ts";
import { MAX_INPUT_ISSUES, MAX_ISSUE_CHARS } from "#shared/limits.ts";
import { type Path, pathText } from "./copy-as-json.ts";

/** The name of the checked value: the first key of the paths of its issues. */
export type Part = "input" | "details" | "output";

type Checked = { ok: true; value: unknown } | { ok: false; issues: InputIssue[] };

/** `value` is what the schema made of the given one. Throws what the schema's own code throws. */
export function checkSchema(schema: Schema, value: unknown, part: Part): Checked {
  try {
    const parsed = z.safeParse(schema, value);
    if (parsed.success) return { ok: true, value: parsed.data };
    return { ok: false, issues: issuesOf(parsed.error.issues, part) };
  } catch (error) {
    if (!isInstance(error, z.core.$ZodAsyncError)) throw error;
    const text = `It is asynchronous, and ${part === "details" ? part : `${part}s`} are checked synchronously.`;
    throw new TypeError(text, { cause: error });
  }
}

/** `what` continues a sentence that begins with the value at `path`. */
export function issueAt(part: Part, { path, what }: { path: Path; what: string }): InputIssue {
  return { path: [part, ...path.map(plainKey)], message: `It ${what}.` };
}

/** One sentence of a message for people, which begins with the place of the issue. */
export function sentenceOf(part: Part, { path, message }: InputIssue): string {
  const field = pathText(path[0] === part ? path.slice(1) : path);
  return `${field === "" ? part : field}: ${message}${/[.!?]$/.test(message) ? "" : "."}`;
}

function issuesOf(
  found: readonly { path: readonly PropertyKey[]; message: string }[],
  part: Part,
): InputIssue[] {
  const issues: InputIssue[] = found.slice(0, MAX_INPUT_ISSUES).map(({ path, message }) => ({
    path: [part, ...path.map(plainKey)],
    message: cutText(message, MAX_ISSUE_CHARS),
  }));
  const unnamed = found.length - MAX_INPUT_ISSUES;
  if (unnamed > 0) issues.push({ path: [part], message: `And ${unnamed} more.` });
  return issues;
}

function plainKey(key: PropertyKey): string | number {
  return typeof key === "number" ? key : cutText(String(key), MAX_ISSUE_CHARS);
}
