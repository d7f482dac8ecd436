/** Runs a program in a child process that a test can kill. The program has `openSqliteEngine` and `dataDir` in scope. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

export interface Child {
  process: ChildProcessByStdio<Writable, Readable, null>;
  /** The next line of its output; `undefined` after the end. */
  line(): Promise<string | undefined>;
  /** `kill -9`. Output from before can still be read. */
  kill(): Promise<void>;
}

export function spawnChild(dataDir: string, program: string): Child {
  const source = `
    const { openSqliteEngine } = await import(${JSON.stringify(import.meta.resolve("#server/engine/sqlite/open.ts"))});
    const suites = await import(${JSON.stringify(import.meta.resolve("#test/engine/builders.ts"))});
    const dataDir = ${JSON.stringify(dataDir)};
    ${program}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    async line() {
      const next = await lines.next();
      return next.done === true ? undefined : next.value;
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
