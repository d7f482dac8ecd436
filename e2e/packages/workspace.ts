/** A folder outside the repository with programs that have installed the packages as npm packs them. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { builtPackages } from "./build.ts";

const CONSUMERS = fileURLToPath(new URL("consumers", import.meta.url));
const run = promisify(execFile);

/** The packages with TypeScript, oldest first: the oldest is the one that tRPC supports. */
export const COMPILERS = ["typescript-5.7", "typescript-5.9", "typescript"];

export interface Workspace {
  /** The packed files, by the folder of each package in dist/packages. */
  packed: Readonly<Record<"jobwire" | "client", string>>;
  /** Where programs that run in the workspace keep what Node compiled: it goes with the workspace. */
  compileCache: string;
  /** The program that has installed `jobwire` and the client, with the oldest zod that they take. */
  server: string;
  /** The front end beside it, which has installed `@jobwire/client`, with the oldest React and others that it takes. */
  web: string;
  /** A copy of its program with the article kind, beside the packages of this repository: it has installed none of that kind. */
  article: string;
  /** Resolves to what the compiler prints. */
  compile(compiler: string, program: string): Promise<string>;
  close(): Promise<void>;
}

/** Packs the packages and installs them, which takes up to a minute. The page must be built. */
export async function openWorkspace(): Promise<Workspace> {
  const packages = await builtPackages();
  const dir = await mkdtemp(join(tmpdir(), "jobwire-packages-"));
  const close = () => rm(dir, { recursive: true, force: true });
  const [server, web, article] = ["server", "web", "article"].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  let packed: Workspace["packed"];
  try {
    await cp(CONSUMERS, dir, { recursive: true });
    const [jobwire, client] = await Promise.all([
      pack(join(packages, "jobwire"), dir),
      pack(join(packages, "client"), dir),
    ]);
    packed = { jobwire, client };
    // Both have to end before the folder can go.
    const installs = [install(server, jobwire, client), install(web, client)];
    await Promise.allSettled(installs);
    await Promise.all(installs);
    await mkdir(join(article, "node_modules"), { recursive: true });
    await symlink(join(packages, "jobwire"), join(article, "node_modules/jobwire"));
    for (const file of ["article.ts", "package.json"]) {
      await cp(join(server, file), join(article, file));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    packed,
    compileCache: join(dir, "compile-cache"),
    server,
    web,
    article,
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

async function install(program: string, ...files: string[]): Promise<void> {
  const options = ["--prefer-offline", "--no-audit", "--no-fund"];
  await run("npm", ["install", ...options, ...files], { cwd: program });
}
