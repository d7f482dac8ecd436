#!/usr/bin/env node
// The command `jobwire`, on the Node that the lock file pins, whichever Node started it. In JavaScript, so that an older Node
// can read it.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const { optionalDependencies } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));

/** npm installs the one of these packages that fits the machine. */
const pinned = Object.keys(optionalDependencies)
  .flatMap((name) => [`node_modules/${name}/bin/node`, `node_modules/${name}/bin/node.exe`])
  .map((path) => fileURLToPath(new URL(path, root)))
  .find((path) => existsSync(path));

if (pinned === undefined) {
  process.stderr.write(
    "error: The packages are not installed. Run `npm ci` in Jobwire's folder.\n",
  );
  process.exitCode = 1;
} else if (realpathSync(pinned) === realpathSync(process.execPath)) {
  await import("../server/command/main.ts");
} else {
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(pinned, args, { stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  // A terminal sends it to both.
  process.on("SIGINT", () => undefined);
  child.once("error", ({ message }) => {
    process.stderr.write(`error: ${pinned} does not run (${message}).\n`);
    process.exitCode = 1;
  });
  child.once("close", (status) => (process.exitCode = status ?? 1));
}
