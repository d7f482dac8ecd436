/**
 * `npm run migrate -- --from sqlite --to redis` copies the data in DATA_DIR to the Redis of REDIS_URL. Stop the server
 * before, and start it with REDIS_URL afterwards.
 */
import { parseArgs } from "node:util";
import { pluralize } from "#shared/pluralize.ts";
import { AppError } from "#shared/errors.ts";
import { ConfigError, loadConfig } from "./config.ts";
import { migrateData } from "./engine/migrate.ts";

/** sysexits.h: the command was used incorrectly. */
const EX_USAGE = 64;
const EX_CONFIG = 78;
const USAGE = "Usage: npm run migrate -- --from sqlite --to redis";

export async function runMigration(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number; message: string }> {
  let from: string | undefined;
  let to: string | undefined;
  try {
    const options = { from: { type: "string" }, to: { type: "string" } } as const;
    ({ from, to } = parseArgs({ args: [...args], options }).values);
  } catch (error) {
    return { code: EX_USAGE, message: `${(error as Error).message}\n${USAGE}` };
  }
  if (from === undefined || to === undefined) return { code: EX_USAGE, message: USAGE };
  try {
    const { jobs, batches } = await migrateData({ from, to }, loadConfig(env));
    const moved = `${pluralize(jobs, "job")} and ${pluralize(batches, "batch", "batches")}`;
    return {
      code: 0,
      message: `Copied ${moved} from ${from} to ${to}. The data in ${from} is unchanged.`,
    };
  } catch (error) {
    if (error instanceof ConfigError) return { code: EX_CONFIG, message: error.message };
    if (error instanceof AppError) {
      return { code: error.code === "BAD_REQUEST" ? EX_USAGE : 1, message: error.message };
    }
    throw error;
  }
}

if (import.meta.main) {
  const { code, message } = await runMigration(process.argv.slice(2), process.env);
  (code === 0 ? process.stdout : process.stderr).write(`${message}\n`);
  process.exitCode = code;
}
