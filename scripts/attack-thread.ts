/** The thread of `check-expressions.ts`: runs expressions on texts that are made from their own parts. */
import { parentPort } from "node:worker_threads";
import type { Verdict } from "./check-expressions.ts";

/** An expression without any of these examines a bounded number of characters at each position. */
const REPEATS = /[*+]|\{\d+,(?:\d{2,})?\}/;
/** Parts that match characters, and syntax that matches none. */
const PARTS =
  /(?<syntax>\(\?(?:[:=!]|<[=!]|<\w+>)|\{\d+(?:,\d*)?\}|[()|?*+^$]|\\[bB]|\\k<\w+>|\\[1-9])|\\u\{[^}]*\}|\\u[\da-f]{4}|\\x[\da-f]{2}|\\p\{[^}]*\}|\\[^]|\[(?:\\[^]|[^\]\\])*\]|[^]/giu;
const CANDIDATES = Array.from('a1 "\n-.:_[(<A0zåÅ中’“\u00A0\t#/,;!');
const LONGEST_WINDOW = 8;
const TAILS = ["\u0000", ""];

/** A slow first run is suspicious, a slow second run is a fault. Linear time takes less than a fifth of both limits. */
const FIRST = { length: 8000, cpuMs: 5 };
const SECOND = { length: 32_000, cpuMs: 50 };

function attackAll(pattern: string, flags: string): Verdict {
  if (!REPEATS.test(pattern)) return undefined;
  const expression = new RegExp(pattern, flags);
  for (const { prefix, pump } of pumpsOf(pattern, flags)) {
    for (const tail of TAILS) {
      const cost = (length: number): number => {
        const text = prefix + pump.repeat(length / pump.length) + tail;
        const start = process.threadCpuUsage();
        text.replace(expression, "");
        return process.threadCpuUsage(start).user / 1000;
      };
      if (cost(FIRST.length) < FIRST.cpuMs || cost(SECOND.length) < SECOND.cpuMs) continue;
      return `${JSON.stringify(pump)} repeated${prefix === "" ? "" : ` after ${JSON.stringify(prefix)}`}`;
    }
  }
  return undefined;
}

function* pumpsOf(pattern: string, flags: string): Generator<{ prefix: string; pump: string }> {
  const parts = [...pattern.matchAll(PARTS)]
    .filter(({ groups }) => groups?.["syntax"] === undefined)
    .map(([part]) => samplesOf(part, flags));
  const tried = new Set<string>();
  for (const [at, samples] of parts.entries()) {
    const before = parts.slice(0, at).map(([sample = ""]) => sample);
    const windows = Array.from({ length: LONGEST_WINDOW }, (_, size) =>
      parts.slice(at, at + size + 1).map(([sample = ""]) => sample),
    );
    for (const pump of [...samples, ...windows.map((window) => window.join(""))]) {
      for (const prefix of ["", before.join("")]) {
        const key = `${prefix}\n${pump}`;
        if (pump === "" || tried.has(key)) continue;
        tried.add(key);
        yield { prefix, pump };
      }
    }
  }
}

/** Characters that a part matches. */
function samplesOf(part: string, flags: string): string[] {
  if (part.length === 1 && part !== ".") return [part];
  const one = new RegExp(`^${part}$`, flags.replaceAll(/[gy]/g, ""));
  const literal = /^\\(?:u|x|[^\w])/.test(part) ? part : undefined;
  const found = CANDIDATES.filter((candidate) => one.test(candidate)).slice(0, 4);
  return found.length === 0 && literal !== undefined ? [literal.slice(1)] : found;
}

parentPort?.on("message", ({ pattern, flags }: { pattern: string; flags: string }) =>
  parentPort?.postMessage(attackAll(pattern, flags), []),
);
