/** The registry of engines: the only place that knows them all. An engine is loaded when it is opened. */
import type { JobEvent } from "#shared/events.ts";
import type { SettingsOf } from "#shared/variables.ts";
import type { Engine } from "./contract.ts";
import { type EngineObserver, observeEngine } from "./observe-engine.ts";
import { REDIS } from "./redis/declaration.ts";
import { type EngineRegistration, type OpenOptions, registerEngine } from "./registration.ts";
import { reportEvents } from "./report-events.ts";
import { SQLITE } from "./sqlite/declaration.ts";

const redis = registerEngine(REDIS, {
  async open({ REDIS_URL: url, REDIS_PREFIX: prefix }, { weights, onGroup }) {
    const { openRedisEngine } = await import("./redis/open.ts");
    return openRedisEngine({ url, prefix, weights, onGroup });
  },
  async examine({ REDIS_URL: url, REDIS_PREFIX: prefix }, options) {
    const { examineRedis } = await import("./redis/examine.ts");
    return examineRedis({ url, prefix }, options);
  },
  async importFrom(source, { REDIS_URL: url, REDIS_PREFIX: prefix }) {
    const { importToRedis } = await import("./redis/import.ts");
    return importToRedis(source, { url, prefix });
  },
});

const sqlite = registerEngine(SQLITE, {
  async open({ DATA_DIR: dataDir }, options) {
    const { openSqliteEngine } = await import("./sqlite/open.ts");
    return openSqliteEngine({ dataDir, ...options });
  },
  async examine({ DATA_DIR: dataDir }, options) {
    const { examineDataDirectory } = await import("./sqlite/examine.ts");
    return examineDataDirectory(dataDir, options);
  },
  async backUp({ DATA_DIR: dataDir }, path) {
    const { backUpStopped } = await import("./sqlite/backup.ts");
    return backUpStopped(dataDir, path);
  },
  async restore({ DATA_DIR: dataDir }, path) {
    const { restoreBackup } = await import("./sqlite/restore.ts");
    return restoreBackup(dataDir, path);
  },
  async openExport({ DATA_DIR: dataDir }) {
    const { openExport } = await import("./sqlite/export.ts");
    return openExport(dataDir);
  },
});

/** The first one whose variable is set is used. */
const SELECTABLE: readonly (EngineRegistration & { selectedBy: keyof EngineSettings })[] = [redis];
const DEFAULT: EngineRegistration = sqlite;
export const ENGINES: readonly EngineRegistration[] = [...SELECTABLE, DEFAULT];

/** In the order of docs/configuration.md. */
export const ENGINE_VARIABLES = { ...SQLITE.variables, ...REDIS.variables };

/** Values of the variables of all engines; `Config` has them. */
export type EngineSettings = SettingsOf<typeof ENGINE_VARIABLES>;

/** Its selecting variable is set, or it needs none. */
export function isConfigured(
  { selectedBy }: EngineRegistration,
  settings: EngineSettings,
): boolean {
  return selectedBy === undefined || settings[selectedBy as keyof EngineSettings] !== undefined;
}

export function selectEngine(settings: EngineSettings): EngineRegistration {
  return SELECTABLE.find((engine) => isConfigured(engine, settings)) ?? DEFAULT;
}

export interface EngineHooks {
  /** Called once for each event that this process commits. */
  onEvent?: ((event: JobEvent) => void) | undefined;
  observer?: EngineObserver | undefined;
}

export async function openEngine(
  settings: EngineSettings,
  { onEvent, observer, ...options }: OpenOptions & EngineHooks = {},
): Promise<Engine> {
  const opened = await selectEngine(settings).open(settings, options);
  const engine = observer === undefined ? opened : observeEngine(opened, observer);
  return onEvent === undefined ? engine : reportEvents(engine, onEvent);
}
