/** The script in `bin/` that starts a command on the Node of the program that installed the package. */
import { compiled } from "./paths.ts";

/** `program`: the file of ours that is the command. `oldest`: the major version of Node that it needs. */
export function launcher(command: string, program: string, oldest: number): string {
  return `#!/usr/bin/env node
// An older Node must be able to read this file.
if (Number.parseInt(process.versions.node, 10) < ${oldest}) {
  process.stderr.write(
    "error: ${command} needs Node ${oldest} or newer. This is Node " + process.versions.node + ".\\n",
  );
  process.exitCode = 1;
} else {
  await import("../${compiled(program)}");
}
`;
}
