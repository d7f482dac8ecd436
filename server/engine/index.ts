/**
 * The only place that knows which engines there are. What every engine does beside its contract is done here,
 * so that none can forget it: each committed event is reported once.
 */
import type { JobEvent } from "#shared/events.ts";
import type { Engine } from "./contract.ts";
import { openSqliteEngine } from "./sqlite/open.ts";

export interface EngineConfig {
  dataDir: string;
}

export async function openEngine(
  { dataDir }: EngineConfig,
  onEvent: (event: JobEvent) => void = () => {},
): Promise<Engine> {
  const engine = await openSqliteEngine({ dataDir });
  return {
    ...engine,
    async change(...args) {
      const changed = await engine.change(...args);
      onEvent(changed.event);
      return changed;
    },
  };
}
