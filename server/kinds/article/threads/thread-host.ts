/**
 * Host process of one thread: passes messages on, and exits with the thread or with the server, also while the
 * thread is busy. Arguments: the thread's program, and its heap in MB.
 */
import { Worker } from "node:worker_threads";
import type { ThreadAnswer, TaskMessage, HELLO } from "./serve-tasks.ts";

/** Exit code after a thread ran out of memory: the thread itself can no longer report it. */
export const EXIT_OUT_OF_MEMORY = 71;

if (import.meta.main) {
  const [program = "", memoryMb = ""] = process.argv.slice(2);
  // Terminals and service managers signal the whole process group; the server decides when this process ends.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  process.on("disconnect", () => process.exit());

  const thread = new Worker(new URL(program), {
    resourceLimits: { maxOldGenerationSizeMb: Number(memoryMb) },
  });
  process.on("message", (message: typeof HELLO | TaskMessage) => thread.postMessage(message, []));
  thread.on("message", (answer: ThreadAnswer) => process.send?.(answer));
  thread.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? EXIT_OUT_OF_MEMORY : 1);
  });
  thread.on("exit", () => process.exit(1));
}
