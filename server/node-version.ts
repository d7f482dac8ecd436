/** Refuses a Node that lacks what Jobwire uses: npm only warns of `engines`. In reach of all that a program starts. */

/** That of `engines` in package.json. */
export const OLDEST_NODE = 24;

/** `version`: such as `24.1.0`; `undefined` for a runtime that is not Node. Throws for an older one. */
export function assertNode(version: string | undefined = process.versions.node): void {
  if (version === undefined || Number.parseInt(version, 10) >= OLDEST_NODE) return;
  throw new Error(`Jobwire needs Node ${OLDEST_NODE} or newer. This is Node ${version}.`);
}
