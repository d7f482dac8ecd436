/** The process that would run the server: its Node, and the files that it may open. */
import { assertNode } from "#server/node-version.ts";
import { messageOf } from "#shared/errors.ts";
import { fail, type Finding, ok, skip, warn } from "#shared/finding.ts";

export function checkNode(version: string | undefined = process.versions.node): Finding {
  try {
    assertNode(version);
    return ok("node", version ?? "not Node");
  } catch (error) {
    return fail("node", messageOf(error), [
      "Install it, or start with `npm start`, which brings its own.",
      "docs/operations.md#start",
    ]);
  }
}

/** Beside connections: the database, its log, sockets to Redis, files of the page. */
const OTHER_FILES = 100;

/** `most`: how many files the process may open; `undefined` for systems that do not say. */
export function checkOpenFiles(connections: number, most = openFileLimit()): Finding {
  const name = "open files";
  if (most === undefined) return skip(name, "this system does not say how many are allowed");
  const found = `${most} allowed, for MAX_CONNECTIONS=${connections}`;
  if (most >= connections + OTHER_FILES) return ok(name, found);
  return warn(name, found, [
    "Raise the limit (LimitNOFILE of systemd, --ulimit nofile of Docker, ulimit -n), or lower MAX_CONNECTIONS: beyond it the server accepts no connection, and cannot open its files.",
    "docs/operations.md#sizing",
  ]);
}

interface Report {
  userLimits?: { open_files?: { soft?: number | string; hard?: number | string } };
}

/** Node raises the soft limit to the hard one when it starts. */
function openFileLimit(): number | undefined {
  // Its types lack the option. Without it, a report asks the DNS for the name of each connection.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as Report;
  const soft = userLimits?.open_files?.soft;
  if (soft === "unlimited") return Infinity;
  return typeof soft === "number" ? soft : undefined;
}
