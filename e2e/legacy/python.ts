/** A Python program that runs until the test is done with it, and what it writes meanwhile. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The clients of python-socketio: each subscribes to a job on connecting, and tells what it hears as lines of JSON. */
export const STRICT = {
  Client: fileURLToPath(new URL("strict.py", import.meta.url)),
  AsyncClient: fileURLToPath(new URL("strict_async.py", import.meta.url)),
};

export interface PythonProgram {
  /** Whole lines of its output. */
  readonly lines: string[];
  /** What it complained about: a handler that was called wrongly, for example. */
  complaints(): string;
  end(): Promise<void>;
}

/** `args` as on a command line: a file and its arguments, or `-c` and a text. */
export function runPython(python: string, args: readonly string[]): PythonProgram {
  const child: ChildProcess = spawn(python, ["-u", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const gone = once(child, "close");
  const lines: string[] = [];
  let complaints = "";
  const endWithUs = () => child.kill("SIGKILL");
  process.on("exit", endWithUs);

  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  }
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });

  return {
    lines,
    complaints: () => complaints,
    async end() {
      process.off("exit", endWithUs);
      child.kill("SIGKILL");
      await gone;
    },
  };
}
