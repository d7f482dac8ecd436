/** Finds the Redis program, which tests of the redis engine start, or installs it if possible. */
import type { TestProject } from "vitest/node";
import { findProgram } from "./debian.ts";

/** Debian installs it in a directory that is not on every user's PATH. */
const REDIS = {
  candidates: ["redis-server", "/usr/bin/redis-server", "valkey-server", "/usr/bin/valkey-server"],
  packages: ["redis-server"],
};
const OPENSSL = {
  candidates: ["openssl", "/usr/bin/openssl"],
  args: ["version"],
  packages: ["openssl"],
};

declare module "vitest" {
  interface ProvidedContext {
    /** The executable of Redis or Valkey. */
    redisServer: string;
    /** Creates certificates. */
    openssl: string;
  }
}

export default function setup(project: TestProject): void {
  project.provide("redisServer", findRedis());
  provideOpenssl(project);
}

export function provideOpenssl(project: TestProject): void {
  project.provide("openssl", findProgram(OPENSSL));
}

export function findRedis(): string {
  return findProgram(REDIS);
}
