/** Runs a Python program until the test ends, and captures its output. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { killOnExit } from "#test/kill-on-exit.ts";

/** Programs whose clients of python-socketio subscribe to a job on connecting and print every event. */
const STRICT = {
  Client: fileURLToPath(new URL("strict.py", import.meta.url)),
  AsyncClient: fileURLToPath(new URL("strict_async.py", import.meta.url)),
};
export type StrictKind = keyof typeof STRICT;
export const STRICT_KINDS = Object.keys(STRICT) as StrictKind[];

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

export interface StrictClient {
  jobId: string;
  /** Absent: polling, then websocket. */
  transport?: "websocket" | "polling" | undefined;
}

/**
 * Runs clients that share one process, because Python and its packages take longer to start than a client. Returns a program
 * for each: it has the client's events as lines of JSON, and the errors and the end of the process.
 */
export function runStrict(
  python: string,
  kind: StrictKind,
  {
    url,
    clients,
    env,
  }: { url: string; clients: readonly StrictClient[]; env?: Record<string, string> },
): PythonProgram[] {
  const args = clients.map(({ jobId, transport }) => [jobId, transport].filter(Boolean).join());
  const program = runPython(python, [STRICT[kind], url, ...args], env);
  return clients.map((_, number) => ({
    ...program,
    get lines() {
      const own = `${number} `;
      return program.lines
        .filter((line) => line.startsWith(own))
        .map((line) => line.slice(own.length));
    },
  }));
}
