/** A program of a consumer in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { killOnExit } from "#test/kill-on-exit.ts";

export interface Program {
  /** The address that it prints once it serves. */
  url: string;
  /** The lines before, without those of the log. */
  lines: string[];
  /** Resolves to the exit code. */
  stop(): Promise<number | null>;
}

/** Resolves once the program has printed or logged its address. It gets `env`, and a folder for its data. */
export async function startProgram(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Program> {
  const dataDir = await mkdtemp(join(tmpdir(), "jobwire-packages-data-"));
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { DATA_DIR: dataDir, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  killOnExit(child);
  const gone = once(child, "close") as Promise<[number | null]>;
  const written: string[] = [];
  const lines: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => written.push(text));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      written.push(line);
      const url = /^http:.*|(?<="url":")[^"]*(?=".*"msg":"listening")/.exec(line)?.[0];
      if (url !== undefined) resolve(url);
      else if (!line.startsWith('{"level"')) lines.push(line);
    });
    void gone.then(([code]) =>
      reject(new Error(`${args[0]} ended (${code}):\n${written.join("\n")}`)),
    );
  });
  return {
    url,
    lines,
    async stop() {
      child.kill("SIGTERM");
      const [code] = await gone;
      await rm(dataDir, { recursive: true, force: true });
      return code;
    },
  };
}
