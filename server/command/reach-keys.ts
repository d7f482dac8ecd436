/**
 * Where a command finds the API keys and the audit lists. One process owns the embedded database, so a running server is asked over its control
 * socket, and without one the command opens the database itself. A Redis is opened in any case.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type ApiKeys, createApiKeys } from "#server/auth/api-keys.ts";
import { type Audit, createAudit } from "#server/auth/audit.ts";
import type { Config } from "#server/config.ts";
import { createRemoteApiKeys, createRemoteAudit, NoServer } from "#server/control/client.ts";
import { controlSocketOf } from "#server/control/socket-path.ts";
import { openEngine, selectEngine } from "#server/engine/index.ts";
import { AppError, asError } from "#shared/errors.ts";

/** A server that starts or stops has the database open, and no control socket. */
const TRIES = 20;
const PAUSE_MS = 100;

type Use<T> = (keys: ApiKeys, audit: Pick<Audit, "list">) => Promise<T>;

/** `use` may run again where no server was there for its first call. */
export async function withApiKeys<T>(config: Config, now: () => Date, use: Use<T>): Promise<T> {
  if (selectEngine(config).capabilities.multiProcess) return withEngine(config, now, use);
  const { path, problem } = controlSocketOf(config.DATA_DIR);
  for (let tries = 1; ; tries++) {
    if (path !== undefined) {
      try {
        return await use(createRemoteApiKeys(path), createRemoteAudit(path));
      } catch (error) {
        if (!(error instanceof NoServer)) throw error;
      }
    }
    try {
      return await withEngine(config, now, use);
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

async function withEngine<T>(config: Config, now: () => Date, use: Use<T>): Promise<T> {
  const engine = await openEngine(config);
  try {
    const audit = createAudit({ store: engine.audit, now, tell: warn });
    return await use(createApiKeys({ store: engine.apiKeys, audit, now }), audit);
  } finally {
    await engine.close();
  }
}

function warn(error: unknown): void {
  process.emitWarning(asError(error));
}
