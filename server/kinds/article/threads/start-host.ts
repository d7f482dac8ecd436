/** Starts the host process of a thread, which ends with this process. */
import { fork, type ChildProcess } from "node:child_process";
import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";

const HOST = fileURLToPath(new URL("./thread-host.ts", import.meta.url));

export function startHost(program: URL, memoryMb: number): ChildProcess {
  const host = fork(HOST, [program.href, `${memoryMb}`], {
    // This process may run with options that the host cannot start with, or under a debugger.
    execArgv: [],
    env: environmentOf(process.env),
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  if (host.pid !== undefined) giveWay(host.pid);
  return host;
}

/**
 * Keeps API keys out of the process that works on foreign text. With the compile cache of this process, a thread starts in
 * half the processor time.
 */
function environmentOf({ NODE_COMPILE_CACHE }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
}

/** Lowers the host's priority: with all cores busy, the server's streams go before pages. */
function giveWay(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // The process is gone already, which its exit event reports, or the system forbids it.
  }
}
