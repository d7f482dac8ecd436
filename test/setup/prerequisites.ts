/**
 * What the end-to-end tests need that npm does not install: a Python with the legacy client, a HAProxy. Looked for first;
 * installed where that is possible; otherwise the run ends with the one command that helps. Whoever needs a browser
 * looks for it in `browser/`.
 */
import type { TestProject } from "vitest/node";
import { findProgram } from "./debian.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A Python that can import socketio, requests, websocket and aiohttp. */
    python: string;
    /** A HAProxy. */
    haproxy: string;
  }
}

/** The first on the PATH may be another than Debian's, which is the one that sees Debian's packages. */
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

export default function setup(project: TestProject): void {
  project.provide("haproxy", findProgram(HAPROXY));
  project.provide("python", findProgram(PYTHON));
}
