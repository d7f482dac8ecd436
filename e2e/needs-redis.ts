/** The tests of the redis engine start a Redis of their own: looked for, installed where possible, or named. */
import type { TestProject } from "vitest/node";
import { canInstall, installPackages, provideProgram } from "./debian.ts";

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
    /** Makes the certificate of one that speaks TLS. */
    openssl: string;
  }
}

export default function setup(project: TestProject): void {
  project.provide("redisServer", findRedis());
  project.provide("openssl", find(["openssl", "/usr/bin/openssl"], "openssl", ["version"]));
}

export function findRedis(): string {
  return find(CANDIDATES, PACKAGE);
}

function find(candidates: readonly string[], debianPackage: string, args?: string[]): string {
  const install = canInstall() ? installPackages : undefined;
  return provideProgram(candidates, debianPackage, install, args);
}
