/**
 * The entry point of the server. Only entry points read `process.env`. `node server/main.ts worker` sets ROLE=worker in every shell. The
 * compile cache beside the packages halves the time of the next start; it must be enabled before other modules load.
 */
import { enableCompileCache, flushCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

// If the directory is not writable, the server starts without a cache.
enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/jobwire", import.meta.url)));
const { application } = await import("./application.ts");
const { runApplication } = await import("./program.ts");
const role = process.argv[2];
await runApplication(
  role === undefined ? process.env : { ...process.env, ROLE: role },
  application,
);
flushCompileCache();
