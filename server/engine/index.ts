/** The only place that knows which engines there are. */
import type { Engine } from "./contract.ts";
import { openSqliteEngine } from "./sqlite/open.ts";

export interface EngineConfig {
  dataDir: string;
}

export function openEngine({ dataDir }: EngineConfig): Promise<Engine> {
  return openSqliteEngine({ dataDir });
}
