/** A thread with misbehaving tasks, for tests of the pool. */
import { serveTasks } from "#server/kinds/article/threads/serve-tasks.ts";

serveTasks({
  echo: (input: unknown) => input,
  pid: () => process.pid,
  environment: () => ({ ...process.env }),
  stall: () => /^(?:a+)+$/.test(`${"a".repeat(60)}b`),
  /** Takes time, and no processor, as on a busy machine. */
  wait(ms: number) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    return "waited";
  },
  exit: () => process.exit(3),
  abort: () => process.kill(process.pid, "SIGKILL"),
  objects: () => {
    const held: object[] = [];
    for (;;) held.push({ held });
  },
  /** One allocation that does not fit, for which V8 aborts the process. */
  allocation: () => Array.from({ length: 2e8 }, () => 1.5),
  throwError: (message: string) => {
    throw new RangeError(message);
  },
  throwFunction: () => {
    throw Object.assign(() => {}, { toString: undefined });
  },
  throwNothing: () => {
    throw Object.create(null);
  },
  uncloneable: () => ({ call: () => {} }),
});
