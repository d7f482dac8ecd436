/**
 * Host process of one thread: passes messages on, and exits with the thread or with the server, also while the
 * thread is busy. Arguments: the thread's program, and its heap in MB.
 */
import { Worker } from "node:worker_threads";
import { type ThreadAnswer, type TaskMessage, HELLO } from "./serve-tasks.ts";

/** Exit code after a thread ran out of memory: the thread itself can no longer report it. */
export const EXIT_OUT_OF_MEMORY = 71;
/** Exit code after a task took more processor time than it may. */
export const EXIT_OUT_OF_TIME = 72;

const LOOK_MS = 20;

/**
 * Ends the process when it has used this much processor time. On a busy machine a task waits for a processor, which is no
 * reason to end it. Returns what stops the watch.
 */
function watchProcessorTime(mostMs: number): () => void {
  const begin = process.cpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(begin);
    if ((user + system) / 1000 > mostMs) process.exit(EXIT_OUT_OF_TIME);
  }, LOOK_MS);
  return () => clearInterval(timer);
}

if (import.meta.main) {
  const [program = "", memoryMb = ""] = process.argv.slice(2);
  // Terminals and service managers signal the whole process group; the server decides when this process ends.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  process.on("disconnect", () => process.exit());

  const thread = new Worker(new URL(program), {
    resourceLimits: { maxOldGenerationSizeMb: Number(memoryMb) },
  });
  let stopWatching = (): void => {};
  process.on("message", (message: typeof HELLO | TaskMessage) => {
    if (message !== HELLO) stopWatching = watchProcessorTime(message.processorMs);
    thread.postMessage(message, []);
  });
  thread.on("message", (answer: ThreadAnswer) => {
    stopWatching();
    process.send?.(answer);
  });
  thread.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? EXIT_OUT_OF_MEMORY : 1);
  });
  thread.on("exit", () => process.exit(1));
}
