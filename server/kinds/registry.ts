/** The kinds of a server, checked once when it starts. */
import { z } from "zod";
import type { KindInfo } from "#shared/api.ts";
import { cutText } from "#shared/cut-text.ts";
import { messageOf } from "#shared/errors.ts";
import { MAX_ISSUE_CHARS, MAX_KIND_CHARS } from "#shared/limits.ts";
import { checkPolicies } from "./check-policies.ts";
import type { AnyKind, Schema } from "./define.ts";
import { KindError } from "./kind-error.ts";

export { KindError } from "./kind-error.ts";

export interface KindRegistry extends ReadonlyMap<string, AnyKind> {
  readonly infos: readonly KindInfo[];
}

/** Names are parts of procedures' paths (`kinds.<name>.create`) and of properties of clients (`client.kinds.<name>`). */
const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
/** Properties that a client's proxy or any object has for a purpose of its own. */
const TAKEN: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  "then",
  "call",
  "apply",
  "prototype",
]);

/** Throws `KindError` for a kind that cannot be registered, and for two of one name. */
export function createKindRegistry(kinds: readonly AnyKind[]): KindRegistry {
  const registry = new Map<string, AnyKind>();
  const given: unknown = kinds;
  if (!Array.isArray(given)) {
    throw new KindError("The kinds are no list. Give a list of what defineKind returns.");
  }
  const infos = kinds.map((kind, index) => {
    assertObject(kind, index);
    const { name } = kind;
    assertName(name);
    if (registry.has(name)) {
      throw new KindError(`Two kinds have the name "${name}". Give one of them another name.`);
    }
    if (typeof kind.run !== "function") {
      throw new KindError(`The kind "${name}" has no function \`run\`. Make it with defineKind.`);
    }
    registry.set(name, kind);
    return infoOf(kind);
  });
  return Object.assign(registry, { infos });
}

function assertObject(kind: unknown, index: number): void {
  if (typeof kind === "object" && kind !== null) return;
  const what = kind === null ? "null" : typeof kind;
  throw new KindError(
    `Kind ${index + 1} of the list is ${what}. Give what defineKind returns, and look for modules that import each other.`,
  );
}

function assertName(name: unknown): void {
  const shown = typeof name === "string" ? `"${cutText(name, MAX_KIND_CHARS)}"` : typeof name;
  if (typeof name !== "string" || !NAME.test(name) || name.length > MAX_KIND_CHARS) {
    throw new KindError(
      `A kind has the name ${shown}. A name begins with a letter, has only letters, digits and _, and has at most ${MAX_KIND_CHARS} characters.`,
    );
  }
  if (TAKEN.has(name)) {
    throw new KindError(
      `A kind has the name ${shown}, which objects in JavaScript have a use for. Give it another name.`,
    );
  }
}

function infoOf(kind: AnyKind): KindInfo {
  const { name, description, input, details, output, remote } = kind;
  const policies = checkPolicies(name, kind);
  return {
    name,
    description,
    input: jsonSchemaOf(name, "input", input),
    ...(details !== undefined && { details: jsonSchemaOf(name, "details", details) }),
    output: jsonSchemaOf(name, "output", output),
    ...(remote && { remote }),
    ...(policies !== undefined && { policies }),
  };
}

function jsonSchemaOf(
  kind: string,
  part: "input" | "details" | "output",
  schema: Schema,
): Record<string, unknown> {
  const what = `The ${part} of the kind "${kind}"`;
  if (!isSchema(schema)) {
    throw new KindError(
      `${what} ${part === "details" ? "are" : "is"} no schema of zod 4. Give one, such as \`z.object({ … })\` of \`import { z } from "zod"\`, with zod 4.1 or later.`,
    );
  }
  try {
    return z.toJSONSchema(schema, { io: part === "input" ? "input" : "output" });
  } catch (error) {
    const reason = cutText(messageOf(error), MAX_ISSUE_CHARS);
    const advice = ADVICE.find(([type]) => reason.startsWith(type))?.[1] ?? "";
    throw new KindError(
      `${what} ${part === "details" ? "have" : "has"} no JSON Schema: ${reason}. Use a schema of what is sent as JSON${advice}.`,
      { cause: error },
    );
  }
}

/** Not of zod 3, or of nothing: programs in JavaScript may give anything. */
function isSchema(given: unknown): boolean {
  return typeof given === "object" && given !== null && "_zod" in given;
}

/** By the beginnings of zod's messages. */
const ADVICE: readonly (readonly [type: string, advice: string])[] = [
  ["Date", ": `z.iso.datetime()` in place of `z.date()`"],
  ["BigInt", ": `z.int()` or `z.string()` in place of `z.bigint()`"],
  ["Transforms", ", and change values in `run`"],
  ["Custom types", ": `z.string()` or `z.unknown()` with `refine` in place of `z.custom()`"],
  ["Map", ": `z.record(…)` in place of `z.map(…)`"],
  ["Set", ": `z.array(…)` in place of `z.set(…)`"],
  ["Undefined", ": `z.null()` in place of `z.undefined()`"],
  ["Void", ": `z.null()` in place of `z.void()`"],
];
