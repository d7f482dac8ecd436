/**
 * Runs npm scripts at the same time: `node scripts/run-parallel.ts lint unused`. Prints the output of each as a whole
 * when it ends, and exits with 1 if one of them failed.
 */
import { spawn } from "node:child_process";

export interface ScriptResult {
  readonly name: string;
  readonly ok: boolean;
  /** Of both its streams, in the order in which it came. */
  readonly output: string;
}

/** Runs a script of the `package.json` in `cwd`. */
function runScript(name: string, cwd: string): Promise<ScriptResult> {
  return new Promise((resolve, reject) => {
    // `node --run` starts at once and needs no shell of ours, on Windows either.
    const child = spawn(process.execPath, ["--run", name], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ name, ok: code === 0, output }));
  });
}

/** Resolves, once all have ended, to the names of those that failed. `onResult` gets each as it ends. */
export async function runParallel(
  names: readonly string[],
  options: { cwd: string; onResult: (result: ScriptResult) => void },
): Promise<string[]> {
  const results = await Promise.all(
    names.map(async (name) => {
      const result = await runScript(name, options.cwd);
      options.onResult(result);
      return result;
    }),
  );
  return results.filter(({ ok }) => !ok).map(({ name }) => name);
}

if (import.meta.main) {
  const failed = await runParallel(process.argv.slice(2), {
    cwd: process.cwd(),
    onResult: ({ name, ok, output }) =>
      process.stdout.write(`${ok ? "✓" : "✗"} ${name}\n${output === "" ? "" : `${output}\n`}`),
  });
  if (failed.length > 0) {
    process.stderr.write(`Failed: ${failed.join(", ")}\n`);
    process.exitCode = 1;
  }
}
