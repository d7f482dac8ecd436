/** The answer of `/readyz`. */
import { AppError } from "#shared/errors.ts";
import type { Engine } from "./engine/contract.ts";
import type { Readiness } from "./transports/http/transport.ts";

const NO_WORKER =
  "No worker is there: jobs are accepted, and wait until one is. Start one with `npm run worker`.";

/** Resolves when the server can do its work. Rejects with `UNAVAILABLE` when it stops or has no data. */
export function createReadiness(options: {
  engine: Engine;
  isStopping: () => boolean;
  now: () => Date;
}): () => Promise<Readiness> {
  const { engine, isStopping, now } = options;
  return async () => {
    if (isStopping()) throw new AppError("UNAVAILABLE", "The server is stopping.");
    await engine.health();
    if (!engine.capabilities.multiProcess) return {};
    const workers = (await engine.present(now())).length;
    return workers > 0 ? { workers } : { workers, note: NO_WORKER };
  };
}
