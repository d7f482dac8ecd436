/** The entry point of the command `jobwire`. `bin/jobwire.js` runs it on the pinned Node. */
import { buffer } from "node:stream/consumers";
import { runCommand } from "./program.ts";

// The reader of the output may end before the output does: `jobwire keys list | head -1`.
process.stdout.on("error", () => process.exit(0));
process.exitCode = await runCommand(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  now: () => new Date(),
  onInterrupt(listener) {
    process.once("SIGINT", listener);
    return () => void process.off("SIGINT", listener);
  },
  readInput: () => buffer(process.stdin),
});
