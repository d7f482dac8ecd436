/**
 * Finds the programs that the end-to-end tests need and npm does not install: a Python with the legacy client, HAProxy, and
 * Prometheus' promtool. Installs them if possible; otherwise the run fails with the command that installs them.
 * `e2e/browser/` finds the browser.
 */
import type { TestProject } from "vitest/node";
import { findProgram } from "./debian.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A Python that can import socketio, requests, websocket and aiohttp. */
    python: string;
    /** The executable of HAProxy. */
    haproxy: string;
    /** Prometheus' tool that checks rules and metrics. */
    promtool: string;
  }
}

/** Only Debian's own Python finds Debian's packages, and another Python may precede it on the PATH. */
export const PYTHON = {
  candidates: ["python3", "/usr/bin/python3"],
  args: ["-c", "import socketio, requests, websocket, aiohttp"],
  packages: [
    "python3",
    "python3-socketio",
    "python3-requests",
    "python3-websocket",
    "python3-aiohttp",
  ],
};
const HAPROXY = {
  candidates: ["haproxy", "/usr/sbin/haproxy"],
  args: ["-v"],
  packages: ["haproxy"],
};
/** Only a part of the package is needed; its server is not started. */
const PROMTOOL = {
  candidates: ["promtool", "/usr/bin/promtool"],
  packages: ["prometheus"],
};

export default function setup(project: TestProject): void {
  project.provide("haproxy", findProgram(HAPROXY));
  project.provide("python", findProgram(PYTHON));
  project.provide("promtool", findProgram(PROMTOOL));
}
