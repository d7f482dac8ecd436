/** Runs a Python program until the test ends, and captures its output. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { killOnExit } from "#test/kill-on-exit.ts";

/** Programs with python-socketio that subscribe to a job on connecting and print every event as a line of JSON. */
export const STRICT = {
  Client: fileURLToPath(new URL("strict.py", import.meta.url)),
  AsyncClient: fileURLToPath(new URL("strict_async.py", import.meta.url)),
};

export interface PythonProgram {
  /** Complete lines of its standard output. */
  readonly lines: string[];
  /** Standard error: tracebacks of handlers that were called wrongly, for example. */
  stderr(): string;
  end(): Promise<void>;
}

/** Variables of a machine that decide which certificates Python trusts. */
const NO_CERTIFICATES = {
  REQUESTS_CA_BUNDLE: undefined,
  CURL_CA_BUNDLE: undefined,
  SSL_CERT_FILE: undefined,
};

/** The variables of docs/tls.md that make each client trust the certificates of a file. */
export const TRUSTING = {
  Client: (file: string) => ({ REQUESTS_CA_BUNDLE: file, WEBSOCKET_CLIENT_CA_BUNDLE: file }),
  AsyncClient: (file: string) => ({ SSL_CERT_FILE: file }),
};

/**
 * `args` as on a command line: a file and its arguments, or `-c` and a text. `env`: variables beside those of the machine,
 * without its own certificates.
 */
export function runPython(
  python: string,
  args: readonly string[],
  env: Record<string, string> = {},
): PythonProgram {
  const child: ChildProcess = spawn(python, ["-u", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...NO_CERTIFICATES, ...env },
  });
  const gone = once(child, "close");
  const lines: string[] = [];
  let written = "";
  killOnExit(child);

  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  }
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    written += text;
  });

  return {
    lines,
    stderr: () => written,
    async end() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
