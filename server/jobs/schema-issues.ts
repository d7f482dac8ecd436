/** The issues that a schema found in a value of a kind's code, for the message of the job that they end. */
import { cutText } from "#shared/cut-text.ts";
import { MAX_INPUT_ISSUES, MAX_ISSUE_CHARS } from "#shared/limits.ts";
import { pathText } from "./copy-as-json.ts";

export interface SchemaIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** `items.3.name: Too small. of: Invalid input.` An issue of the whole value has no path. */
export function issuesText(issues: readonly SchemaIssue[]): string {
  const named = issues.slice(0, MAX_INPUT_ISSUES).map(sentence);
  const unnamed = issues.length - named.length;
  return [...named, ...(unnamed > 0 ? [`And ${unnamed} more.`] : [])].join(" ");
}

function sentence({ path, message }: SchemaIssue): string {
  const at = pathText(path.map(String));
  const text = cutText(message, MAX_ISSUE_CHARS);
  return `${at === "" ? "" : `${at}: `}${text}${/[.!?]$/.test(text) ? "" : "."}`;
}
