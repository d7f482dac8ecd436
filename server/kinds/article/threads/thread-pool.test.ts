import { execFile, type ExecFileException } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { createThreadPool, type ThreadPoolOptions } from "./thread-pool.ts";

// Processes are slow to start on a busy machine.

const never = new AbortController().signal;
const PROGRAM = new URL("../../../../test/article/test-thread.ts", import.meta.url);

/** Runs tasks by name. */
function poolWith(options: Partial<ThreadPoolOptions> = {}) {
  const pool = createThreadPool({ program: PROGRAM, ...options });
  return async (
    name: string,
    input: unknown = null,
    { signal = never, processorMs = 60_000 }: { signal?: AbortSignal; processorMs?: number } = {},
  ): Promise<unknown> => {
    const answer = await pool({ message: { name, input, processorMs }, signal });
    return answer.type === "done" ? answer.output : answer.thrown;
  };
}

const run = poolWith();

function alive(pid: unknown): boolean {
  try {
    return process.kill(Number(pid), 0);
  } catch {
    return false;
  }
}

test("a task gets its input, bytes too, and its output comes back", async () => {
  const input = { text: "å", bytes: Uint8Array.of(1, 2) };
  expect(await run("echo", input)).toEqual(input);
});

test("any thrown value comes back as its fields", async () => {
  expect(await run("throwError", "x".repeat(60_000))).toMatchObject({
    name: "RangeError",
    message: expect.stringMatching(/^x{999}…$/),
  });
  expect(await run("throwFunction")).toMatchObject({ message: "a function was thrown" });
  expect(await run("throwNothing")).toMatchObject({ message: "a object was thrown" });
  expect(await run("uncloneable")).toMatchObject({
    message: expect.stringContaining("could not be cloned"),
  });
  expect(await run("nothing")).toMatchObject({ message: 'no task "nothing"' });
});

test("of the server's environment a thread sees only where Node keeps what it compiled", async () => {
  expect(process.env.PATH).toBeDefined();
  const { NODE_COMPILE_CACHE } = process.env;
  expect(NODE_COMPILE_CACHE).toBeDefined();
  expect(await poolWith({ threads: 1 })("environment")).toEqual({ NODE_COMPILE_CACHE });
});

test("an input that cannot be cloned is refused, and the thread goes on", async () => {
  const one = poolWith({ threads: 1 });
  const pid = await one("pid");
  await expect(one("echo", () => {})).rejects.toMatchObject({ trouble: "refused" });
  expect(await one("pid")).toBe(pid);
});

test.each([
  ["exit", "crash"],
  ["abort", "crash"],
  ["objects", "memory"],
  ["allocation", "memory"],
])(
  "a task that ends its thread (%s) fails, and the next one succeeds: %s",
  async (task, trouble) => {
    const small = poolWith({ threads: 1, memoryMb: 40 });
    const failing = small(task);
    const waiting = small("echo", "next");
    await expect(failing).rejects.toMatchObject({ name: "ThreadError", trouble });
    expect(await waiting).toBe("next");
  },
);

test("[H2] an endless regular expression is stopped, and the event loop and other tasks go on meanwhile", async () => {
  // Its processor time ends it, however busy the machine is.
  const one = poolWith({ threads: 1, waitFactor: 1000 });
  let turns = 0;
  const ticking = setInterval(() => (turns += 1), 1);
  const stalling = one("stall", null, { processorMs: 200 });
  const waiting = one("echo", "next", { processorMs: 60_000 });
  await expect(stalling).rejects.toMatchObject({
    trouble: "time",
    message: "it takes more than 0.2 s",
  });
  clearInterval(ticking);
  expect(turns).toBeGreaterThan(0);
  expect(await waiting).toBe("next");
});

test("a task that waits for a processor is not ended for it", async () => {
  expect(await run("wait", 500, { processorMs: 200 })).toBe("waited");
});

test("[H2] a task that waits too long for a processor is ended too", async () => {
  const one = poolWith({ threads: 1, waitFactor: 2 });
  await expect(one("wait", 3_600_000, { processorMs: 100 })).rejects.toMatchObject({
    trouble: "time",
    message: "it takes more than 0.2 s",
  });
});

test("tasks wait in FIFO order, and a task's processor time counts from its turn", async () => {
  const one = poolWith({ threads: 1 });
  const order: number[] = [];
  const stalling = one("stall", null, { processorMs: 1001 }).catch(() => {});
  const tasks = [1, 2, 3].map(async (place) => {
    // Shorter than the limit of the first task.
    await one("echo", null, { processorMs: 1000 });
    order.push(place);
  });
  await Promise.all([stalling, ...tasks]);
  expect(order).toEqual([1, 2, 3]);
});

test("[H2] the pool never has more threads than its limit", async () => {
  const two = poolWith({ threads: 2 });
  const pids = await Promise.all(Array.from({ length: 6 }, () => two("pid")));
  expect(new Set(pids).size).toBeLessThanOrEqual(2);
});

test("an aborted task rejects at once with the abort's reason, waiting or running", async () => {
  const one = poolWith({ threads: 1 });
  const busy = new AbortController();
  const queued = new AbortController();
  const pid = await one("pid");
  const working = one("stall", null, { signal: busy.signal });
  const waiting = one("echo", "never", { signal: queued.signal });
  const last = one("echo", "last");
  queued.abort(new Error("cancelled in the queue"));
  await expect(waiting).rejects.toThrow("cancelled in the queue");
  busy.abort(new Error("cancelled in the thread"));
  await expect(working).rejects.toThrow("cancelled in the thread");
  expect(await last).toBe("last");
  expect(alive(pid)).toBe(false);
  await expect(one("pid", null, { signal: busy.signal })).rejects.toThrow("in the thread");
});

test("the death of an idle thread fails no task", async () => {
  const one = poolWith({ threads: 1 });
  const pid = await one("pid");
  // In the same turn of the event loop, before the pool can see the exit.
  process.kill(Number(pid), "SIGKILL");
  const next = await one("pid");
  expect(next).not.toBe(pid);
});

test("the error says that no thread could be started, and the queue goes on", async () => {
  const missing = poolWith({
    threads: 1,
    program: new URL("./no-such-thread.ts", import.meta.url),
  });
  const results = await Promise.allSettled([missing("echo"), missing("echo")]);
  for (const result of results) {
    expect(result).toMatchObject({ status: "rejected", reason: { trouble: "start" } });
  }
});

test("an idle thread ends after its idle time, and the next task gets a new one", async () => {
  const kept = poolWith();
  expect(await kept("pid")).toBe(await kept("pid"));
  const brief = poolWith({ idleMs: 0 });
  const pid = await brief("pid");
  await vi.waitFor(() => expect(alive(pid)).toBe(false), { timeout: 120_000 });
  expect(await brief("pid")).not.toBe(pid);
});

/** Runs a module in a process of its own; resolves to the thread's process id, which the module printed. */
async function runProgram(body: string): Promise<{ pid: number; signal: string | undefined }> {
  const program = `
    import { createThreadPool } from "#server/kinds/article/threads/thread-pool.ts";
    const pool = createThreadPool({ program: new URL(${JSON.stringify(PROGRAM.href)}), idleMs: 3_600_000 });
    const signal = new AbortController().signal;
    const run = (name) => pool({ message: { name, input: null, processorMs: 3_600_000 }, signal });
    console.log((await run("pid")).output);
    ${body}
  `;
  const args = ["--input-type=module-typescript", "--eval", program];
  const done = await promisify(execFile)(process.execPath, args).catch(
    (error: ExecFileException) => error,
  );
  return { pid: Number(done.stdout), signal: "signal" in done ? done.signal : undefined };
}

test("an idle thread does not keep the process alive, and ends with it", async () => {
  const { pid, signal } = await runProgram("");
  expect(signal).toBeUndefined();
  await vi.waitFor(() => expect(alive(pid)).toBe(false), { timeout: 120_000 });
});

test("a stalled thread ends with its process, also after a SIGKILL", async () => {
  const { pid, signal } = await runProgram(
    'void run("stall"); setTimeout(() => process.kill(process.pid, "SIGKILL"), 300);',
  );
  expect(signal).toBe("SIGKILL");
  await vi.waitFor(() => expect(alive(pid)).toBe(false), { timeout: 120_000 });
  expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
});
