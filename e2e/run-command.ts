/** The command `jobwire` in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import pkg from "#package.json" with { type: "json" };
import { killOnExit } from "#test/kill-on-exit.ts";
import { COMPILE_CACHE } from "./compile-cache.ts";

export const JOBWIRE = fileURLToPath(new URL(`../${pkg.bin.jobwire}`, import.meta.url));

export interface CommandResult {
  code: number | null;
  out: string;
  err: string;
}

/** It sees `env` and nothing else. `node`: the Node that starts it. */
export async function jobwire(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  { node = process.execPath, cwd }: { node?: string; cwd?: string } = {},
): Promise<CommandResult> {
  const child = spawn(node, [JOBWIRE, ...args], {
    env: { ...COMPILE_CACHE, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd !== undefined && { cwd }),
  });
  killOnExit(child);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, out, err };
}
