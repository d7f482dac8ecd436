/**
 * Where the program begins; the only reader of `process.env`. What was compiled is kept beside the packages, which
 * halves the time of the next start. That must be said before anything else is loaded.
 */
import { enableCompileCache, flushCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

// A directory that cannot be written costs the cache and nothing else.
enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/jobwire", import.meta.url)));
const { runProgram } = await import("./program.ts");
await runProgram(process.env);
flushCompileCache();
