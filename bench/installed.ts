/** Detects peers that npm does not install. All of them are optional. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** True if the program can be started. */
export function hasProgram(name: string, ...args: string[]): boolean {
  return spawnSync(name, args, { stdio: "ignore" }).status === 0;
}

/** Path in Debian's package `libnginx-mod-nchan`. */
export const NCHAN_MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so";

export function hasNchan(): boolean {
  return hasProgram("nginx", "-v") && existsSync(NCHAN_MODULE);
}

/** The first Python on the PATH may not be Debian's, which alone sees Debian's packages. */
const PYTHONS = ["python3", "/usr/bin/python3"];

/** A Python that can serve python-socketio over ASGI with WebSockets. */
export function pythonWithServer(): string | undefined {
  return PYTHONS.find((python) => hasProgram(python, "-c", "import socketio, uvicorn, websockets"));
}
