/** How the command `jobwire start` starts a Jobwire. Apart from it, so that its declarations name nothing of the program's. */
import type { Started } from "./program.ts";

/** The same in each copy of this module. */
export const START = Symbol.for("jobwire.start");

/** Returns what starts a Jobwire as a program of its own; `undefined` for any other value. */
export function starterOf(value: unknown): (() => Promise<Started>) | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as { [START]?: () => Promise<Started> })[START];
}
