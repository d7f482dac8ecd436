/** What workers elsewhere hand over, checked by the schemas of the kind. */
import { checkSchema, issueAt, sentenceOf } from "#server/jobs/check-schema.ts";
import { runForeign, warnOfStray } from "#server/jobs/foreign-code.ts";
import { plainJson } from "#server/jobs/plain-json.ts";
import type { AnyKind } from "#server/kinds/define.ts";
import { AppError, asError, type InputIssue, messageOf } from "#shared/errors.ts";
import { MAX_DETAILS_BYTES, MAX_OUTPUT_BYTES } from "#shared/limits.ts";

/**
 * The value as it is stored. Throws `BAD_REQUEST` with the fields for one that does not fit or is too large, and `INTERNAL` for a
 * fault in the code of the kind.
 */
export function checkedOutput(kind: AnyKind, output: unknown): unknown {
  return checked({ kind, schema: kind.output, part: "output", maxBytes: MAX_OUTPUT_BYTES }, output);
}

export function checkedDetails(kind: AnyKind, details: unknown): unknown {
  const { name, details: schema } = kind;
  if (schema === undefined) {
    const message = `The kind "${name}" declares no details. Leave them out, or add a schema to the kind.`;
    throw new AppError("BAD_REQUEST", message, { issues: [{ path: ["details"], message }] });
  }
  return checked({ kind, schema, part: "details", maxBytes: MAX_DETAILS_BYTES }, details);
}

interface Checking {
  kind: AnyKind;
  schema: AnyKind["output"];
  part: "output" | "details";
  maxBytes: number;
}

function checked({ kind, schema, part, maxBytes }: Checking, given: unknown): unknown {
  const before = plainJson(given, maxBytes, "output");
  if (!before.ok) throw misfit(part, [issueAt(part, before)]);
  const found = ask(kind, part, () => checkSchema(schema, before.value, part));
  if (!found.ok) throw misfit(part, found.issues);
  // The schema can make it larger, or no JSON.
  const after = plainJson(found.value, maxBytes, "output");
  if (!after.ok) throw misfit(part, [issueAt(part, after)]);
  return after.value;
}

function misfit(part: Checking["part"], issues: InputIssue[]): AppError {
  const does = part === "details" ? "do" : "does";
  const text = issues.map((issue) => sentenceOf(part, issue)).join(" ");
  const message = `The ${part} ${does} not fit the kind, and nothing is stored. ${text}`;
  return new AppError("BAD_REQUEST", message, { issues });
}

function ask<T>({ name }: AnyKind, part: string, code: () => T): T {
  try {
    return runForeign(warnOfStray, code);
  } catch (cause) {
    const text = `The schema \`${part}\` of the kind "${name}" failed. ${messageOf(cause)}`;
    throw new AppError("INTERNAL", text, { cause: asError(cause) });
  }
}
