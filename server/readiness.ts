/** The answer of `/readyz`. */
import { AppError } from "#shared/errors.ts";
import { isOfAll } from "#shared/pause.ts";
import type { Engine } from "./engine/contract.ts";
import type { Readiness } from "./transports/http/transport.ts";

const NO_WORKER =
  "There is no worker: the server accepts jobs, and they wait for one. Start one with `npm run worker`.";

const PAUSED =
  "Everything is paused: the server accepts jobs, and none starts until an operator resumes it.";

/** Resolves if the server can work. Rejects with `UNAVAILABLE` if it is stopping or cannot reach its data. */
export function createReadiness(options: {
  engine: Engine;
  isStopping: () => boolean;
}): () => Promise<Readiness> {
  const { engine, isStopping } = options;
  return async () => {
    if (isStopping()) throw new AppError("UNAVAILABLE", "The server is stopping.");
    await engine.health();
    const paused = (await engine.pauses.list()).some(isOfAll) && { note: PAUSED };
    if (!engine.capabilities.multiProcess) return { ...paused };
    const workers = await engine.workers.count();
    return { workers, ...(workers === 0 && { note: NO_WORKER }), ...paused };
  };
}
