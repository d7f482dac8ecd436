/** Lets requests in or says what is wrong with them: the kind must exist and the input must be what it takes. */
import type { AnyKind } from "#server/kinds/define.ts";
import { AppError, type InputIssue } from "#shared/errors.ts";

export interface JobRequest {
  kind: string;
  input: unknown;
}

export interface Admitted {
  kind: string;
  title: string;
  input: unknown;
}

export interface Admission {
  /** `NOT_FOUND` for an unknown kind, `BAD_REQUEST` with the fields for a malformed input. */
  one(request: JobRequest): Admitted;
  /** All or none: `BAD_REQUEST` names each bad row with its line, counted from 1. */
  all(requests: readonly JobRequest[]): Admitted[];
}

/** Rows that the message itself names; `issues` has them all. */
const NAMED_ROWS = 20;

export function createAdmission(kinds: ReadonlyMap<string, AnyKind>): Admission {
  function check(request: JobRequest): Admitted | InputIssue[] {
    const kind = kinds.get(request.kind);
    if (kind === undefined) return [{ path: ["kind"], message: unknownKind(request.kind) }];
    const parsed = kind.input.safeParse(request.input);
    if (parsed.success) {
      return { kind: kind.name, title: kind.title(parsed.data), input: parsed.data };
    }
    return parsed.error.issues.map((issue) => ({
      path: ["input", ...issue.path.map(plainKey)],
      message: issue.message,
    }));
  }

  function unknownKind(name: string): string {
    return `There is no kind "${name}". Known kinds: ${[...kinds.keys()].join(", ")}.`;
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

    all(requests) {
      const admitted: Admitted[] = [];
      const issues: InputIssue[] = [];
      const rows: string[] = [];
      for (const [index, request] of requests.entries()) {
        const checked = check(request);
        if (Array.isArray(checked)) {
          rows.push(`Row ${index + 1}: ${checked.map(sentence).join(" ")}`);
          issues.push(
            ...checked.map(({ path, message }) => ({ path: ["jobs", index, ...path], message })),
          );
        } else {
          admitted.push(checked);
        }
      }
      if (issues.length === 0) return admitted;
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

function sentence({ path, message }: InputIssue): string {
  const field = (path[0] === "input" ? path.slice(1) : path).join(".");
  return `${field === "" ? "input" : field}: ${message}${/[.!?]$/.test(message) ? "" : "."}`;
}

function plainKey(key: PropertyKey): string | number {
  return typeof key === "number" ? key : String(key);
}
