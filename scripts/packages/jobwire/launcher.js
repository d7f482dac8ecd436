#!/usr/bin/env node
// An older Node must be able to read this file.
const OLDEST = 24;
if (Number.parseInt(process.versions.node, 10) < OLDEST) {
  process.stderr.write(
    "error: jobwire needs Node " + OLDEST + " or newer. This is Node " + process.versions.node + ".\n",
  );
  process.exitCode = 1;
} else {
  import("../server/command/main.js");
}
