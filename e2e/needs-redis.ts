/** The tests of the redis engine start a Redis of their own: looked for, installed where possible, or named. */
import { execFileSync } from "node:child_process";
import type { TestProject } from "vitest/node";
import { canInstall, installPackages } from "./debian.ts";

/** Debian does not put it on everybody's PATH. */
const CANDIDATES = [
  "redis-server",
  "/usr/bin/redis-server",
  "valkey-server",
  "/usr/bin/valkey-server",
];
const PACKAGE = "redis-server";

declare module "vitest" {
  interface ProvidedContext {
    /** The program of a Redis or a Valkey. */
    redisServer: string;
  }
}

export default function setup(project: TestProject): void {
  project.provide("redisServer", findRedis());
}

export function findRedis(): string {
  return provideRedis(CANDIDATES, canInstall() ? () => installPackages([PACKAGE]) : undefined);
}

/** The first candidate that runs, also after `install` where none did before. */
export function provideRedis(candidates: readonly string[], install?: () => void): string {
  const found = candidates.find(runs);
  if (found !== undefined) return found;
  install?.();
  const installed = install && candidates.find(runs);
  if (installed !== undefined) return installed;
  throw new Error(
    `The tests need a Redis server of version 7 or newer, and there is none. Install it: sudo apt-get install ${PACKAGE}`,
  );
}

function runs(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
