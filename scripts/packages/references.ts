/** Finds what a module refers to: other modules, packages, and files that it locates beside itself. */
import { extname } from "node:path";
import { parseSync } from "vite";

export interface Reference {
  /**
   * - `module`: imported, as a value or as a type;
   * - `url`: the first argument of `new URL(…, import.meta.url)`. Of a template, the part before the first expression.
   */
  by: "module" | "url";
  /** `./claims.ts`, `#shared/job.ts`, `zod`, `scripts/`. */
  specifier: string;
  /** Where the specifier stands in the source, without its quotes. */
  start: number;
  end: number;
}

const LANGUAGES = { ".ts": "ts", ".tsx": "tsx", ".js": "js" } as const;

/** Throws for a source that cannot be parsed. */
export function referencesIn(file: string, source: string): Reference[] {
  const language = file.endsWith(".d.ts") ? "dts" : LANGUAGES[extname(file) as ".ts"];
  const { program, errors } = parseSync(file, source, { lang: language });
  const [error] = errors;
  if (error !== undefined) throw new Error(`${file} cannot be parsed: ${error.message}`);
  const found: Reference[] = [];
  for (const node of nodesBelow(program)) {
    const reference = referenceOf(node);
    if (reference !== undefined) found.push(reference);
  }
  return found.toSorted((a, b) => a.start - b.start);
}

interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

function* nodesBelow(value: unknown): Generator<Node> {
  if (typeof value !== "object" || value === null) return;
  if (isNode(value)) yield value;
  for (const child of Object.values(value)) yield* nodesBelow(child);
}

function isNode(value: unknown): value is Node {
  return typeof (value as Partial<Node> | null)?.type === "string";
}

function referenceOf(node: Node): Reference | undefined {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ExportNamedDeclaration":
    case "TSImportType":
    // A name that is computed is of a module of the program, such as the kinds that a command is given.
    case "ImportExpression":
      return textOf(node.source, "module");
    case "NewExpression": {
      const [path, base] = node.arguments as (Node | undefined)[];
      const isOurs = (node.callee as Node).name === "URL" && isOwnUrl(base);
      return isOurs ? textOf(path, "url") : undefined;
    }
    default:
      return undefined;
  }
}

/** True for `import.meta.url`. */
function isOwnUrl(node: Node | undefined): boolean {
  if (node?.type !== "MemberExpression") return false;
  const { object, property } = node as unknown as { object: Node; property: Node };
  return object.type === "MetaProperty" && property.name === "url";
}

function textOf(node: unknown, by: Reference["by"]): Reference | undefined {
  if (!isNode(node)) return undefined;
  const { type, start, end, value } = node;
  if (type === "Literal" && typeof value === "string") {
    return { by, specifier: value, start: start + 1, end: end - 1 };
  }
  if (type !== "TemplateLiteral") return undefined;
  const [first] = node.quasis as (Node & { value: { cooked: string } })[];
  return first && { by, specifier: first.value.cooked, start: first.start, end: first.end };
}
