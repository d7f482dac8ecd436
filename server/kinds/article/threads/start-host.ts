/** Starts the process of a thread. It ends with this process. */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

const HOST = fileURLToPath(new URL("./thread-host.ts", import.meta.url));

export function startHost(program: URL, memoryMb: number): ChildProcess {
  return fork(HOST, [program.href, `${memoryMb}`], {
    // Options of this process can be ones that the host cannot start with, or those of a debugger.
    execArgv: [],
    // The keys of models stay out of where foreign text is worked on.
    env: {},
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
}
