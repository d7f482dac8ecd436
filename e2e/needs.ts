/**
 * What the end-to-end tests need that npm does not install: a Python with the legacy client, a HAProxy. Looked for first;
 * installed where that is possible; otherwise the run ends with the one command that helps. Whoever needs a browser
 * looks for it in `browser/`.
 */
import { execFileSync } from "node:child_process";
import type { TestProject } from "vitest/node";
import { canInstall, installPackages, provideProgram } from "./debian.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A Python that can import socketio, requests and websocket. */
    python: string;
    /** A HAProxy. */
    haproxy: string;
  }
}

const PACKAGES = ["python3", "python3-socketio", "python3-requests", "python3-websocket"];
/** The first on the PATH may be another than Debian's, which is the one that sees Debian's packages. */
const CANDIDATES = ["python3", "/usr/bin/python3"];

export default function setup(project: TestProject): void {
  project.provide("haproxy", findHaproxy());
  project.provide(
    "python",
    providePython(CANDIDATES, canInstall() ? () => installPackages(PACKAGES) : undefined),
  );
}

function findHaproxy(): string {
  const candidates = ["haproxy", "/usr/sbin/haproxy"];
  return provideProgram(candidates, "haproxy", canInstall() ? installPackages : undefined, ["-v"]);
}

/** The first candidate that has the modules, also after `install` where none had them before. */
export function providePython(candidates: readonly string[], install?: () => void): string {
  const found = candidates.find(hasModules);
  if (found !== undefined) return found;
  install?.();
  const installed = install && candidates.find(hasModules);
  if (installed !== undefined) return installed;
  throw new Error(
    `The end-to-end tests need a Python with socketio, requests and websocket, and ${candidates.join(" and ")} ` +
      `have none of that kind. Install it: sudo apt-get install ${PACKAGES.join(" ")}`,
  );
}

function hasModules(python: string): boolean {
  try {
    execFileSync(python, ["-c", "import socketio, requests, websocket"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
