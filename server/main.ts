/**
 * The entry point of the server. Only entry points read `process.env`. `node server/main.ts worker` sets ROLE=worker in every shell. The
 * compile cache beside the packages halves the time of the next start; it must be enabled before other modules load.
 */
import { constants, enableCompileCache, flushCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

const cache = fileURLToPath(new URL("../node_modules/.cache/jobwire", import.meta.url));
// If the directory is not writable, the server starts without a cache. Processes that it starts use the same one.
const { status } = enableCompileCache(cache);
if (status === constants.compileCacheStatus.ENABLED) process.env.NODE_COMPILE_CACHE = cache;
const { application } = await import("./application.ts");
const { runApplication } = await import("./program.ts");
const role = process.argv[2];
await runApplication(
  role === undefined ? process.env : { ...process.env, ROLE: role },
  application,
);
flushCompileCache();
