/** Tests of the redis engine start their own Redis: finds the program, or installs it where possible. */
import type { TestProject } from "vitest/node";
import { findProgram } from "./debian.ts";

/** Debian installs it outside of some users' PATH. */
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
    /** Makes certificates for a Redis that speaks TLS. */
    openssl: string;
  }
}

export default function setup(project: TestProject): void {
  project.provide("redisServer", findRedis());
  project.provide("openssl", findProgram(OPENSSL));
}

export function findRedis(): string {
  return findProgram(REDIS);
}
