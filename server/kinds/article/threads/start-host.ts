/** Starts the process of a thread. It ends with this process. */
import { fork, type ChildProcess } from "node:child_process";
import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";

const HOST = fileURLToPath(new URL("./thread-host.ts", import.meta.url));

export function startHost(program: URL, memoryMb: number): ChildProcess {
  const host = fork(HOST, [program.href, `${memoryMb}`], {
    // Options of this process can be ones that the host cannot start with, or those of a debugger.
    execArgv: [],
    // The keys of models stay out of where foreign text is worked on.
    env: {},
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  if (host.pid !== undefined) giveWay(host.pid);
  return host;
}

/** Where all cores are busy, a page waits for the server's streams, and not they for a page. */
function giveWay(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It is gone already, which its exit tells, or this system does not let it.
  }
}
