/** The answer of `/readyz`. */
import { AppError } from "#shared/errors.ts";
import type { Engine } from "./engine/contract.ts";
import type { Readiness } from "./transports/http/transport.ts";

const NO_WORKER =
  "There is no worker: the server accepts jobs, and they wait for one. Start one with `npm run worker`.";

/** Resolves if the server can work. Rejects with `UNAVAILABLE` if it is stopping or cannot reach its data. */
export function createReadiness(options: {
  engine: Engine;
  isStopping: () => boolean;
}): () => Promise<Readiness> {
  const { engine, isStopping } = options;
  return async () => {
    if (isStopping()) throw new AppError("UNAVAILABLE", "The server is stopping.");
    await engine.health();
    if (!engine.capabilities.multiProcess) return {};
    const workers = await engine.workers.count();
    return workers > 0 ? { workers } : { workers, note: NO_WORKER };
  };
}
