/** A Jobwire with a server of its own, as the program runs it. */
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import type { Stopped } from "./jobs/runner.ts";
import type { AnyKind, StaticSite } from "./kinds/define.ts";
import { createKindRegistry } from "./kinds/registry.ts";
import { createLifecycle } from "./lifecycle.ts";
import { createLog } from "./log.ts";
import type { Authenticate } from "./transports/contract.ts";

export interface App {
  /** The server's address on this machine: `http://localhost:8000`, or `https://localhost:8000` with TLS. */
  url: string;
  /** The number of running jobs. */
  running(): number;
  /** Lets running jobs finish or releases them, tells clients to reconnect, and closes the engine. */
  close(): Promise<Stopped>;
}

/** Parts that a program or a test provides. */
export interface AppParts {
  /** The kinds of job that the server runs: none by default. */
  kinds?: readonly AnyKind[];
  /** Static pages that it shows to everyone. */
  sites?: readonly StaticSite[];
  authenticate?: Authenticate;
  log?: Logger;
}

/** Rejects if the server cannot start, and closes everything that it has opened. */
export async function createApp(config: Config, parts: AppParts = {}): Promise<App> {
  const { authenticate, sites = [], log = createLog(config.LOG_LEVEL) } = parts;
  const kinds = createKindRegistry(parts.kinds ?? []);
  const lifecycle = createLifecycle(config, {
    kinds,
    log,
    authenticate,
    sites,
    procedures: undefined,
  });
  try {
    const url = await lifecycle.listen();
    return { url, running: lifecycle.running, close: lifecycle.close };
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
}
