/** The real program in a process of its own, on a port and data of its own, for tests that kill it and bring it back. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { newTestData } from "#test/engine/data.fixture.ts";
import { freePort } from "#test/free-port.ts";
import { NODE_ARGS } from "./node-args.ts";

export interface RunningServer {
  /** Stays the same over restarts. */
  readonly url: string;
  readonly dataDir: string;
  /** Everything the program wrote so far, over all of its lives. */
  output(): string;
  /** Ends the process with a signal and resolves when it is gone, to its exit code (`null`: the signal ended it). */
  kill(signal: NodeJS.Signals): Promise<number | null>;
  /** Ends the process if it runs, with SIGTERM, and starts it again on the same port and data. */
  restart(): Promise<void>;
  /** Ends the process if it runs, and deletes the data. */
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL("../server/main.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * Resolves when the server listens. `env` is all that the program sees, beside a free port and new data. `main`: another
 * program that says as the real one where it listens.
 */
export async function startServer(
  options: { env?: Record<string, string>; main?: string } = {},
): Promise<RunningServer> {
  const data = await newTestData();
  const port = String(await freePort());
  const env = { ...data.env, PORT: port, HOST: "127.0.0.1", ...options.env };
  const written: string[] = [];
  let child: ChildProcess | undefined;

  const endWithUs = () => child?.kill("SIGKILL");
  process.on("exit", endWithUs);

  async function start(): Promise<string> {
    const started = spawn(process.execPath, [...NODE_ARGS, options.main ?? MAIN], {
      cwd: ROOT,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
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
    process.off("exit", endWithUs);
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
    output: () => written.join(""),
    kill,
    async restart() {
      if (child !== undefined) await kill("SIGTERM");
      await start();
    },
    stop,
  };
}

/** The program's log is JSON lines; this one says where it listens. */
function listeningAt(line: string): string | undefined {
  if (!line.includes('"msg":"listening"')) return undefined;
  return (JSON.parse(line) as { url: string }).url;
}
