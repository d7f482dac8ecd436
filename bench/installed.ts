/** What this machine has of the peers that npm does not bring. None of them is needed. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Whether a program can be started. */
export function hasProgram(name: string, ...args: string[]): boolean {
  return spawnSync(name, args, { stdio: "ignore" }).status === 0;
}

/** Where Debian's package `libnginx-mod-nchan` puts it. */
export const NCHAN_MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so";

export function hasNchan(): boolean {
  return hasProgram("nginx", "-v") && existsSync(NCHAN_MODULE);
}

/** The first on the PATH may be another than Debian's, which is the one that sees Debian's packages. */
const PYTHONS = ["python3", "/usr/bin/python3"];

/** A Python that can serve python-socketio over ASGI, with WebSockets. */
export function pythonWithServer(): string | undefined {
  return PYTHONS.find((python) => hasProgram(python, "-c", "import socketio, uvicorn, websockets"));
}
