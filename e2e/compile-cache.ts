/**
 * The variable with which Node keeps what it compiled, beside the packages. `server/main.ts` does so by itself; the programs
 * of tests would take twice as long to start.
 */
import { fileURLToPath } from "node:url";

export const COMPILE_CACHE = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL("../node_modules/.cache/jobwire", import.meta.url)),
};
