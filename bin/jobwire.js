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
} else if (realNameOf(pinned) === realNameOf(process.execPath)) {
  await import("../server/command/main.ts");
} else {
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(pinned, args, { stdio: "inherit" });
  // Windows sends SIGHUP to all programs of a console that closes, and programs cannot send it there.
  const isWindows = process.platform === "win32";
  const sentToBoth = isWindows ? ["SIGINT", "SIGHUP"] : ["SIGINT"];
  const sentOn = isWindows ? ["SIGTERM"] : ["SIGTERM", "SIGHUP"];
  for (const signal of sentOn) process.on(signal, () => child.kill(signal));
  for (const signal of sentToBoth) process.on(signal, () => undefined);
  child.once("error", ({ message }) => {
    process.stderr.write(`error: ${pinned} does not run (${message}).\n`);
    process.exitCode = 1;
  });
  child.once("close", (status) => (process.exitCode = status ?? 1));
}

/** On Windows with the letters of the disk's name as they are stored: `c:` and `C:` are the same. */
function realNameOf(path) {
  return realpathSync.native(path);
}
