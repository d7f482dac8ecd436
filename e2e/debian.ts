/** Packages of Debian that tests need: installed where that is possible. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version");
}

/** Quiet; what failed is in the error. */
export function installPackages(packages: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", ...packages]]) {
    execFileSync("apt-get", args, { env, stdio: "pipe" });
  }
}

type Install = (packages: readonly string[]) => void;

/** The first candidate that runs with `args`, also after its package was installed where none did before. */
export function provideProgram(
  candidates: readonly string[],
  debianPackage: string,
  install?: Install,
  args: readonly string[] = ["--version"],
): string {
  const runs = (program: string) => runsWith(program, args);
  const found = candidates.find(runs);
  if (found !== undefined) return found;
  install?.([debianPackage]);
  const installed = install && candidates.find(runs);
  if (installed !== undefined) return installed;
  throw new Error(
    `The tests need ${candidates.join(" or ")}, and there is none. Install it: sudo apt-get install ${debianPackage}`,
  );
}

function runsWith(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
