/** The tests of the redis engine start a Redis of their own: looked for, installed where possible, or named. */
import type { TestProject } from "vitest/node";
import { findProgram } from "./debian.ts";

/** Debian does not put it on everybody's PATH. */
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
    /** The program of a Redis or a Valkey. */
    redisServer: string;
    /** Makes the certificate of one that speaks TLS. */
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
