/** A program of examples/ as its users have it: in a folder of its own, with the packages that its package.json names. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { builtPackages, compileCacheOf } from "#e2e/packages/build.ts";
import { newTestData } from "#test/engine/data.fixture.ts";
import { freePort } from "#test/free-port.ts";
import { killOnExit } from "#test/kill-on-exit.ts";

export interface Example {
  /** Of the program; stays the same across restarts. */
  readonly url: string;
  readonly dir: string;
  /** Everything that its programs wrote so far. */
  output(): string;
  /** Sends SIGTERM, and resolves to the exit code (`null`: the signal ended it). */
  stop(): Promise<number | null>;
  /** Starts it again, with the same port and data. */
  start(): Promise<void>;
  /** Runs another program of the folder. Resolves to its output, and rejects if it fails. */
  run(args: string[], env?: Record<string, string>): Promise<string>;
  /** Stops it if it runs, and deletes its data and its folder. */
  remove(): Promise<void>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** The packages that this repository makes, and their folders in a build. */
const OURS: Readonly<Record<string, string>> = { jobwire: "jobwire", "@jobwire/client": "client" };

interface Options {
  /** The arguments of Node; by default the program is `server.ts`. `port`: where it has to listen. */
  args?: (port: number) => string[];
  /** Run before it starts, in its folder. */
  build?: string[];
  env?: Record<string, string>;
}

/** Resolves once the program says where it listens. It sees `env` and nothing else but a free port and new data. */
export async function startExample(name: string, options: Options = {}): Promise<Example> {
  const { args = () => ["server.ts"] } = options;
  const packages = await builtPackages();
  const dir = await installExample(name, packages);
  const data = await newTestData();
  const port = await freePort();
  const NODE_COMPILE_CACHE = compileCacheOf(packages);
  const env = { ...data.env, NODE_COMPILE_CACHE, PORT: String(port), ...options.env };
  const written: string[] = [];
  let child: ChildProcess | undefined;

  function spawnNode(argv: string[], more: Record<string, string> = {}): ChildProcess {
    const spawned = spawn(process.execPath, argv, {
      cwd: dir,
      env: { ...env, ...more },
      stdio: ["ignore", "pipe", "pipe"],
    });
    killOnExit(spawned);
    spawned.stderr.setEncoding("utf8").on("data", (text: string) => written.push(text));
    spawned.stdout.setEncoding("utf8").on("data", (text: string) => written.push(text));
    return spawned;
  }

  async function start(): Promise<void> {
    const started = spawnNode(args(port));
    child = started;
    await new Promise<void>((resolve, reject) => {
      if (started.stdout === null) throw new Error("Its output is piped.");
      createInterface({ input: started.stdout }).on("line", (line) => {
        if (line.includes(`http://localhost:${port}`)) resolve();
      });
      started.once("error", reject);
      started.once("close", (code, signal) => {
        if (child === started) child = undefined;
        reject(new Error(`The example ended (${code ?? signal}):\n${written.join("")}`));
      });
    });
  }

  async function stop(): Promise<number | null> {
    if (child === undefined) throw new Error("The example does not run.");
    const gone = once(child, "close");
    child.kill("SIGTERM");
    const [code] = (await gone) as [number | null];
    return code;
  }

  async function run(argv: string[], more?: Record<string, string>): Promise<string> {
    const spawned = spawnNode(argv, more);
    let text = "";
    spawned.stdout?.on("data", (chunk: string) => (text += chunk));
    const [code] = (await once(spawned, "close")) as [number | null];
    if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}:\n${written.join("")}`);
    return text;
  }

  async function remove(): Promise<void> {
    if (child !== undefined) await stop();
    await data.remove();
    await rm(dir, { recursive: true });
  }

  try {
    if (options.build !== undefined) await run(options.build);
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    url: `http://localhost:${port}`,
    dir,
    output: () => written.join(""),
    stop,
    start,
    run,
    remove,
  };
}

/** Copies the example to a folder outside of the repository, and gives it the packages that it names. */
async function installExample(name: string, packages: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), `jobwire-example-${name}-`));
  await cp(join(ROOT, "examples", name), dir, {
    recursive: true,
    filter: (path) => !/\/(?:node_modules|dist|data)$/.test(path),
  });
  const { dependencies = {}, devDependencies = {} } = JSON.parse(
    await readFile(join(dir, "package.json"), "utf8"),
  ) as Record<string, Record<string, string>>;
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    const own = OURS[name];
    const link = join(dir, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(own === undefined ? join(ROOT, "node_modules", name) : join(packages, own), link);
  }
  return dir;
}
