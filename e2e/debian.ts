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
