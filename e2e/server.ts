/** The real program in a process of its own, with its own port and data, for tests that kill and restart it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { newTestData } from "#test/engine/data.fixture.ts";
import { freePort } from "#test/free-port.ts";
import { COMPILE_CACHE } from "./compile-cache.ts";
import { NODE_ARGS } from "./node-args.ts";
import { killOnExit } from "#test/kill-on-exit.ts";

export interface RunningServer {
  /** Stays the same across restarts. */
  readonly url: string;
  readonly dataDir: string;
  /** The variables of the program: a command with the same ones reaches the same data. */
  readonly env: Readonly<Record<string, string>>;
  /** Everything the program wrote so far, across restarts. */
  output(): string;
  /** Sends a signal and resolves, once the process is gone, to its exit code (`null`: the signal ended it). */
  kill(signal: NodeJS.Signals): Promise<number | null>;
  /** Stops the process with SIGTERM if it runs, and starts it again with the same port and data. */
  restart(): Promise<void>;
  /** Stops the process if it runs, and deletes its data. */
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL("../server/main.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * Resolves once the server listens. The program sees `env` and nothing else but a free port and new data. `main`:
 * another program with its arguments, which must log its address in the same way.
 */
export async function startServer(
  options: { env?: Record<string, string>; main?: string; args?: readonly string[] } = {},
): Promise<RunningServer> {
  const data = await newTestData();
  const port = String(await freePort());
  const env = { ...data.env, PORT: port, HOST: "127.0.0.1", ...options.env };
  const written: string[] = [];
  let child: ChildProcess | undefined;

  async function start(): Promise<string> {
    const started = spawn(
      process.execPath,
      [...NODE_ARGS, options.main ?? MAIN, ...(options.args ?? [])],
      {
        cwd: ROOT,
        env: options.main === undefined ? env : { ...COMPILE_CACHE, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    child = started;
    killOnExit(started);
    started.stderr.setEncoding("utf8").on("data", (text: string) => written.push(text));
    const listening = new Promise<string>((resolve, reject) => {
      createInterface({ input: started.stdout }).on("line", (line) => {
        written.push(`${line}\n`);
        const url = listeningAt(line);
        if (url !== undefined) resolve(url);
      });
      started.once("error", reject);
      started.once("close", (code, signal) => {
        if (child === started) child = undefined;
        reject(new Error(`The server ended (${code ?? signal}):\n${written.join("")}`));
      });
    });
    return listening;
  }

  async function kill(signal: NodeJS.Signals): Promise<number | null> {
    if (child === undefined) throw new Error("The server does not run.");
    const gone = once(child, "close");
    child.kill(signal);
    const [code] = (await gone) as [number | null];
    return code;
  }

  async function stop(): Promise<void> {
    if (child !== undefined) await kill("SIGTERM");
    await data.remove();
  }

  let url: string;
  try {
    url = await start();
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    url,
    dataDir: data.env.DATA_DIR,
    env,
    output: () => written.join(""),
    kill,
    async restart() {
      if (child !== undefined) await kill("SIGTERM");
      await start();
    },
    stop,
  };
}

/** Returns the URL from the program's JSON log line that announces it. */
function listeningAt(line: string): string | undefined {
  if (!line.includes('"msg":"listening"')) return undefined;
  return (JSON.parse(line) as { url: string }).url;
}
