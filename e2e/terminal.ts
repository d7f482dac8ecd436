/** The program at a pseudo-terminal of its own, as started by a person. Python makes it, because Node cannot. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, inject, onTestFinished, vi } from "vitest";

export interface Terminal {
  /** Waits for output that matches, and resolves to its first group. */
  sees(what: RegExp): Promise<string>;
  /** Types keys: `"\x03"` is Ctrl-C. */
  press(keys: string): void;
  /** Resolves to the exit code. */
  readonly ended: Promise<number | null>;
}

const MAIN = fileURLToPath(new URL("../server/main.ts", import.meta.url));
const IN_TERMINAL = `
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
`;

/** The program sees `env` and nothing else but a free port. */
export function openTerminal(env: Record<string, string>): Terminal {
  const child = spawn(inject("python"), ["-c", IN_TERMINAL, process.execPath, MAIN], {
    env: { PORT: "0", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const gone = once(child, "close");
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (shown += text));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await gone;
  });
  return {
    async sees(what) {
      await vi.waitFor(() => expect(shown).toMatch(what), { timeout: 120_000 });
      return what.exec(shown)?.[1] ?? "";
    },
    press: (keys) => void child.stdin.write(keys),
    ended: gone.then(([code]) => code as number | null),
  };
}
