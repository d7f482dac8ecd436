/**
 * `npm run dev`: the server, restarted when a file changes, and the page with live reload. When one of them ends, or at
 * Ctrl-C, both end. It needs no shell, so it works on Windows too. Exits with the code of the one that ended by itself.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const children = [["--watch", "server/main.ts"], ["node_modules/vite/bin/vite.js"]].map((args) =>
  spawn(process.execPath, args, { cwd: ROOT, stdio: "inherit" }),
);

let isStopping = false;
function stop(): void {
  isStopping = true;
  for (const child of children) child.kill();
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
for (const child of children) {
  child.once("exit", (code) => {
    if (!isStopping) process.exitCode = code ?? 1;
    stop();
  });
}
