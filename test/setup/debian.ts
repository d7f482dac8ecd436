/** Finds programs that tests need, and installs their Debian packages if possible. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version");
}

/** Prints nothing: the error of a failed command contains its output. */
function installPackages(packages: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", ...packages]]) {
    execFileSync("apt-get", args, { env, stdio: "pipe" });
  }
}

export interface Wanted {
  /** Programs to try in order, each with `args`. */
  candidates: readonly string[];
  args?: readonly string[];
  packages: readonly string[];
}

/** Returns the first candidate that runs. If none does, installs the packages and tries again. */
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
    `The tests need ${candidates.join(" or ")} that runs with "${args.join(" ")}", but found none. ` +
      `Install it: sudo apt-get install ${packages.join(" ")}`,
  );
}

/** Finds a program. Installs missing packages on Debian, as root. */
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
