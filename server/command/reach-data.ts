/**
 * Where a command finds what it manages. One process owns the embedded database, so a running server is asked over its control
 * socket, and without one the command opens the database itself. A Redis is opened in any case.
 */
import { setTimeout as pause } from "node:timers/promises";
import { createManagement, type Management } from "#server/auth/management.ts";
import type { Config } from "#server/config.ts";
import { createRemoteManagement, NoServer } from "#server/control/client.ts";
import { controlSocketOf } from "#server/control/socket-path.ts";
import { openEngine, selectEngine } from "#server/engine/index.ts";
import { AppError, asError } from "#shared/errors.ts";

/** A server that starts or stops has the database open, and no control socket. */
const TRIES = 20;
const PAUSE_MS = 100;

/** `use` may run again where no server was there for its first call. */
export async function withManagement<T>(
  config: Config,
  now: () => Date,
  use: (management: Management) => Promise<T>,
): Promise<T> {
  if (selectEngine(config).capabilities.multiProcess) return withEngine(config, now, use);
  return askServerOr(config, {
    ask: (socketPath) => use(createRemoteManagement(socketPath)),
    otherwise: () => withEngine(config, now, use),
  });
}

/** `ask` rejects with `NoServer` where none listens. Then `otherwise` finds the data that no process has open. */
export async function askServerOr<T>(
  config: Config,
  { ask, otherwise }: { ask: (socketPath: string) => Promise<T>; otherwise: () => Promise<T> },
): Promise<T> {
  const { path, problem } = controlSocketOf(config.DATA_DIR);
  for (let tries = 1; ; tries++) {
    if (path !== undefined) {
      try {
        return await ask(path);
      } catch (error) {
        if (!(error instanceof NoServer)) throw error;
      }
    }
    try {
      return await otherwise();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "DATA_UNUSABLE") throw error;
      if (problem !== undefined) {
        throw new AppError("DATA_UNUSABLE", `${error.message} ${problem}`, { cause: error });
      }
      if (tries === TRIES) throw error;
      await pause(PAUSE_MS);
    }
  }
}

async function withEngine<T>(
  config: Config,
  now: () => Date,
  use: (management: Management) => Promise<T>,
): Promise<T> {
  const engine = await openEngine(config);
  try {
    return await use(createManagement(engine, { now, tell: warn }));
  } finally {
    await engine.close();
  }
}

function warn(error: unknown): void {
  process.emitWarning(asError(error));
}
