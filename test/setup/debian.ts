/** Packages of Debian that tests need: installed where that is possible. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version");
}

/** Quiet; what failed is in the error. */
function installPackages(packages: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", ...packages]]) {
    execFileSync("apt-get", args, { env, stdio: "pipe" });
  }
}

export interface Wanted {
  /** The first that runs with `args` is taken. */
  candidates: readonly string[];
  args?: readonly string[];
  packages: readonly string[];
}

/** The first candidate that runs, also after its packages were installed where none did before. */
export function provideProgram(
  { candidates, args = ["--version"], packages }: Wanted,
  install?: (packages: readonly string[]) => void,
): string {
  const find = () => candidates.find((program) => runsWith(program, args));
  const found = find();
  if (found !== undefined) return found;
  install?.(packages);
  const installed = install && find();
  if (installed !== undefined) return installed;
  throw new Error(
    `The tests need ${candidates.join(" or ")} that runs with "${args.join(" ")}", and there is none. ` +
      `Install it: sudo apt-get install ${packages.join(" ")}`,
  );
}

/** Installs what is missing where that is possible. */
export function findProgram(wanted: Wanted): string {
  return provideProgram(wanted, canInstall() ? installPackages : undefined);
}

function runsWith(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
