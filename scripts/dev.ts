/**
 * `npm run dev`: the server, started again when a file changes, and the page with live reload. Where one of them ends, or
 * at Ctrl-C, both end; that needs no shell, so that it works on Windows too.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const children = [["--watch", "server/main.ts"], ["node_modules/vite/bin/vite.js"]].map((args) =>
  spawn(process.execPath, args, { cwd: ROOT, stdio: "inherit" }),
);

function stop(): void {
  for (const child of children) child.kill();
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
for (const child of children) child.once("exit", stop);
