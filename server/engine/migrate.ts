/** Moves a data set from one engine to another. Cursors stay valid. */
import { AppError } from "#shared/errors.ts";
import { ENGINES, type EngineSettings, isConfigured } from "./index.ts";

/** Neither data set may be in use meanwhile. The data of `from` stay as they are. */
export async function migrateData(
  { from, to }: { from: string; to: string },
  settings: EngineSettings,
): Promise<{ jobs: number; batches: number }> {
  const source = ENGINES.find(({ name }) => name === from);
  const target = ENGINES.find(({ name }) => name === to);
  if (source?.openExport === undefined || target?.importFrom === undefined) {
    throw new AppError(
      "BAD_REQUEST",
      `Data cannot be moved from "${from}" to "${to}": only from ${namesOf("openExport")} to ${namesOf("importFrom")}.`,
    );
  }
  for (const engine of [source, target]) {
    if (isConfigured(engine, settings)) continue;
    throw new AppError(
      "BAD_REQUEST",
      `The engine "${engine.name}" has no address. Set ${engine.selectedBy}.`,
    );
  }
  const records = await source.openExport(settings);
  try {
    return await target.importFrom(records, settings);
  } finally {
    records.close();
  }
}

function namesOf(able: "openExport" | "importFrom"): string {
  return ENGINES.filter((engine) => engine[able] !== undefined)
    .map(({ name }) => name)
    .join(" or ");
}
