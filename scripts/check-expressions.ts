/**
 * Finds regular expressions whose time grows faster than their text: foreign text could stall the process with them.
 * Runs each literal on repetitions of its own parts, in a thread that can be terminated (`attack-thread.ts`).
 */
import { globSync, readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { parseSync, Visitor } from "vite";

export interface Expression {
  /** `server/app.ts:12` */
  place: string;
  /** `undefined` for an expression that is built at run time. */
  pattern: string | undefined;
  flags: string;
}

/** The attack under which an expression was slow; `undefined` if it was fast under all. */
export type Verdict = string | undefined;

/** Patterns that are accepted although they may be slow, with the reasons. */
const ALLOWED: Record<string, string> = {};
/** Files that build expressions at run time, with the reasons why those take linear time. */
const BUILT: Record<string, string> = {
  "server/transports/requests/hosts.ts":
    "An operator's names; labels between dots match in one way.",
  "server/transports/requests/origins.ts":
    "An operator's origins; labels between dots match in one way.",
  "shared/csv/records.ts": "The delimiter of a file; each has one repetition, from a known place.",
};

/** For all attacks on one expression. A linear one takes some hundred milliseconds. */
const TIMEOUT_MS = 10_000;

export function expressionsIn(file: string, source: string): Expression[] {
  const found: Expression[] = [];
  const place = (offset: number): string => `${file}:${source.slice(0, offset).split("\n").length}`;
  new Visitor({
    Literal(node) {
      if ("regex" in node) found.push({ place: place(node.start), ...node.regex });
    },
    NewExpression({ callee, arguments: [pattern], start }) {
      if (callee.type !== "Identifier" || callee.name !== "RegExp") return;
      const text = pattern?.type === "Literal" ? pattern.value : undefined;
      const known = typeof text === "string" ? text : undefined;
      found.push({ place: place(start), pattern: known, flags: "" });
    },
  }).visit(parseSync(file, source).program);
  return found;
}

/** The slow expressions, one line each with the place and the remedy. */
export async function slowExpressions(
  expressions: readonly Expression[],
  timeoutMs = TIMEOUT_MS,
): Promise<string[]> {
  const lines: string[] = [];
  let thread = start();
  for (const { place, pattern, flags } of expressions) {
    if (pattern === undefined) {
      const [file = ""] = place.split(":");
      if (file in BUILT) continue;
      lines.push(
        `${place}: this expression is built at run time. Write it as a literal, or add the file to BUILT in scripts/check-expressions.ts with the reason.`,
      );
      continue;
    }
    if (pattern in ALLOWED) continue;
    const slow = await attack({ thread, pattern, flags, timeoutMs });
    if (slow === undefined) continue;
    lines.push(
      `${place}: /${pattern}/${flags} takes more than linear time on ${slow}. Scan by hand, bound the repetition, or add it to ALLOWED in scripts/check-expressions.ts with the reason.`,
    );
    await thread.terminate();
    thread = start();
  }
  await thread.terminate();
  return lines;
}

function start(): Worker {
  return new Worker(new URL("./attack-thread.ts", import.meta.url));
}

interface Attack {
  thread: Worker;
  pattern: string;
  flags: string;
  timeoutMs: number;
}

async function attack({ thread, pattern, flags, timeoutMs }: Attack): Promise<Verdict> {
  const { promise, resolve, reject } = Promise.withResolvers<Verdict>();
  const timer = setTimeout(() => resolve("a repetition of its own parts, without end"), timeoutMs);
  thread.on("message", resolve);
  thread.on("error", reject);
  thread.postMessage({ pattern, flags }, []);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    thread.off("message", resolve);
    thread.off("error", reject);
  }
}

/** Files that run in servers, without tests. */
export function sources(): string[] {
  return globSync("{server,shared}/**/*.{ts,tsx}").filter(
    (file) => !/\.(?:test|test-d)\.tsx?$/.test(file),
  );
}

if (import.meta.main) {
  const expressions = sources().flatMap((file) => expressionsIn(file, readFileSync(file, "utf8")));
  const lines = await slowExpressions(expressions);
  for (const line of lines) console.error(line);
  if (lines.length > 0) process.exit(1);
  console.log(`${expressions.length} regular expressions, each of linear time.`);
}
