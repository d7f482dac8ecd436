/** A folder outside the repository with two programs that have installed the packages as npm packs them. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildPackages } from "./build.ts";

const CONSUMERS = fileURLToPath(new URL("consumers", import.meta.url));
const run = promisify(execFile);

/** The packages with TypeScript, oldest first: the oldest is the one that tRPC supports. */
export const COMPILERS = ["typescript-5.7", "typescript-5.9", "typescript"];

export interface Workspace {
  /** The folder of both packages, before they were packed. */
  packages: string;
  /** The program that has installed `jobwire`. */
  server: string;
  /** The front end beside it, which has installed `@jobwire/client`. */
  web: string;
  /** Resolves to what the compiler prints. */
  compile(compiler: string, program: string): Promise<string>;
  close(): Promise<void>;
}

/** Builds and packs the packages and installs them, which takes up to a minute. The page must be built. */
export async function openWorkspace(): Promise<Workspace> {
  const built = await buildPackages();
  const dir = await mkdtemp(join(tmpdir(), "jobwire-packages-"));
  async function close(): Promise<void> {
    await built.remove();
    await rm(dir, { recursive: true, force: true });
  }
  const [server, web] = [join(dir, "server"), join(dir, "web")];
  try {
    await cp(CONSUMERS, dir, { recursive: true });
    await install(server, await pack(join(built.dir, "jobwire"), dir));
    await install(web, await pack(join(built.dir, "client"), dir));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    packages: built.dir,
    server,
    web,
    async compile(compiler, program) {
      const tsc = join(web, "node_modules", compiler, "bin/tsc");
      return run(process.execPath, [tsc, "-p", program, "--pretty", "false"]).then(
        ({ stdout }) => stdout,
        (error: { stdout: string }) => error.stdout,
      );
    },
    close,
  };
}

/** Resolves to the path of the packed file. */
async function pack(from: string, to: string): Promise<string> {
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", to], { cwd: from });
  // An array, or since npm 12 an object with one property for each package.
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>);
  if (packed === undefined) throw new Error(`npm has packed nothing: ${stdout}`);
  return join(to, packed.filename);
}

async function install(program: string, file: string): Promise<void> {
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", file], {
    cwd: program,
  });
}
