/** Validates requests for jobs: the kind must exist, and the input must match its schema. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { AnyKind } from "#server/kinds/define.ts";
import { keyFunctionOf } from "#server/kinds/policies.ts";
import { cutText, ILL_FORMED, isWellFormed } from "#shared/cut-text.ts";
import { AppError, asError, type InputIssue, messageOf } from "#shared/errors.ts";
import {
  MAX_INPUT_BYTES,
  MAX_ISSUE_CHARS,
  MAX_LIMIT_KEY_CHARS,
  MAX_TITLE_CHARS,
} from "#shared/limits.ts";
import { checkSchema, issueAt, sentenceOf } from "./check-schema.ts";
import { runForeign, warnOfStray } from "./foreign-code.ts";
import { exceeds, plainJson } from "./plain-json.ts";

export interface JobRequest {
  kind: string;
  input: unknown;
}

export interface ValidRequest {
  kind: string;
  title: string;
  input: unknown;
  /** That of the kind. `undefined`: it has none. */
  priority?: number | undefined;
  /** The key of the limits of the kind. `undefined`: it has none. */
  key?: string | undefined;
}

export interface RequestValidator {
  /**
   * `NOT_FOUND` for an unknown kind, `BAD_REQUEST` with the fields for an input that is malformed or too large,
   * `INTERNAL` for a fault in the code of the kind.
   */
  one(request: JobRequest): ValidRequest;
  /** All or none: `BAD_REQUEST` names each bad row with its line, counted from 1. `INTERNAL` as above. */
  all(requests: readonly JobRequest[]): Promise<ValidRequest[]>;
}

/** Rows that are checked before other work of the process comes between. */
const ROWS_A_TURN = 100;
/** Rows that the message itself names; `issues` has them all. */
const NAMED_ROWS = 20;
/** The text of one of these rows. */
const MAX_ROW_CHARS = 400;

export function createRequestValidator(kinds: ReadonlyMap<string, AnyKind>): RequestValidator {
  function check(request: JobRequest): ValidRequest | InputIssue[] {
    const kind = kinds.get(request.kind);
    if (kind === undefined) return [{ path: ["kind"], message: unknownKind(request.kind) }];
    const excess = exceeds(request.input, MAX_INPUT_BYTES);
    if (excess !== undefined) return [issueAt("input", excess)];
    const checked = ask(request.kind, "`input`", () =>
      checkSchema(kind.input, request.input, "input"),
    );
    if (!checked.ok) return checked.issues;
    // A transform can make it larger, or no JSON. Lone surrogates cannot be sent to models and pages as UTF-8.
    const plain = plainJson(checked.value, MAX_INPUT_BYTES, "input");
    if (!plain.ok) return [issueAt("input", plain)];
    const title: unknown = ask(request.kind, "`title`", () => kind.title(checked.value));
    if (typeof title !== "string") {
      throw fault(request.kind, "`title`", new TypeError(`It gave no text but ${typeof title}.`));
    }
    const key = keyOf(request.kind, kind, checked.value);
    if (typeof key === "object") return [issueAt("input", key)];
    return {
      kind: kind.name,
      title: cutText(title, MAX_TITLE_CHARS),
      input: plain.value,
      priority: kind.priority,
      key,
    };
  }

  function unknownKind(name: string): string {
    const known =
      kinds.size === 0 ? "This server has none" : `Known kinds: ${[...kinds.keys()].join(", ")}`;
    return `There is no kind "${cutText(name, MAX_ISSUE_CHARS)}". ${known}.`;
  }

  return {
    one(request) {
      if (!kinds.has(request.kind)) throw new AppError("NOT_FOUND", unknownKind(request.kind));
      const checked = check(request);
      if (Array.isArray(checked)) {
        const text = `The input is not what "${request.kind}" takes. ${checked.map(sentence).join(" ")}`;
        throw new AppError("BAD_REQUEST", text, { issues: checked });
      }
      return checked;
    },

    async all(requests) {
      const valid: ValidRequest[] = [];
      const issues: InputIssue[] = [];
      const rows: string[] = [];
      for (const [index, request] of requests.entries()) {
        if (index % ROWS_A_TURN === 0) await nextTurn();
        const checked = check(request);
        if (Array.isArray(checked)) {
          const text = `Row ${index + 1}: ${checked.map(sentence).join(" ")}`;
          rows.push(cutText(text, MAX_ROW_CHARS));
          issues.push(
            ...checked.map(({ path, message }) => ({ path: ["jobs", index, ...path], message })),
          );
        } else {
          valid.push(checked);
        }
      }
      if (issues.length === 0) return valid;
      const unnamed = rows.length - NAMED_ROWS;
      const text = [
        `${rows.length} of ${requests.length} rows cannot be used, so none was stored.`,
        ...rows.slice(0, NAMED_ROWS),
        ...(unnamed > 0 ? [`And ${unnamed} more.`] : []),
      ].join("\n");
      throw new AppError("BAD_REQUEST", text, { issues });
    },
  };
}

/** Returns an issue where another input would have a key that can be used. */
function keyOf(
  name: string,
  kind: AnyKind,
  input: unknown,
): string | undefined | { path: []; what: string } {
  const make = keyFunctionOf(kind);
  if (make === undefined) return undefined;
  const key: unknown = ask(name, "`key`", () => make(input));
  if (key === undefined) return undefined;
  if (typeof key !== "string") {
    throw fault(name, "`key`", new TypeError(`It gave no text but ${typeof key}.`));
  }
  const wrong =
    key.length > MAX_LIMIT_KEY_CHARS
      ? `has ${key.length} characters: ${MAX_LIMIT_KEY_CHARS} are allowed`
      : isWellFormed(key)
        ? undefined
        : ILL_FORMED;
  if (wrong === undefined) return key;
  return { path: [], what: `makes a key for the limits of the kind that ${wrong}` };
}

/** Calls a kind's code, which may throw anything. */
function ask<T>(kind: string, part: string, code: () => T): T {
  try {
    return runForeign(warnOfStray, code);
  } catch (cause) {
    throw fault(kind, part, cause);
  }
}

function fault(kind: string, part: string, thrown: unknown): AppError {
  const text = `The kind "${kind}" cannot take a job: its ${part} failed. ${messageOf(thrown)}`;
  return new AppError("INTERNAL", text, { cause: asError(thrown) });
}

const sentence = (issue: InputIssue) => sentenceOf("input", issue);
