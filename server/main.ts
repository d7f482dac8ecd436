/**
 * Where the program begins; the only reader of `process.env`. `node server/main.ts worker` stands for ROLE=worker, which
 * not every shell can say. What was compiled is kept beside the packages, which
 * halves the time of the next start. That must be said before anything else is loaded.
 */
import { enableCompileCache, flushCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

// A directory that cannot be written costs the cache and nothing else.
enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/jobwire", import.meta.url)));
const { runProgram } = await import("./program.ts");
const role = process.argv[2];
await runProgram(role === undefined ? process.env : { ...process.env, ROLE: role });
flushCompileCache();
