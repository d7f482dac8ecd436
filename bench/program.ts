/**
 * Runs a program of the bench in a process of its own and calls its methods over IPC. Servers and clients get separate
 * processes, so that the CPU time of a process is that of one role.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { NODE_ARGS } from "#e2e/node-args.ts";
import { messageOf } from "#shared/errors.ts";
import { killOnExit } from "#test/kill-on-exit.ts";

/** Methods of a program by name, with one argument and a result that can be sent as JSON. */
type Methods<M> = { [K in keyof M]: (input: never) => unknown };

interface Question {
  id: number;
  method: string;
  input: unknown;
}
type Answer = { id: number; result: unknown } | { id: number; error: string };

export interface Program<M extends Methods<M>> {
  readonly pid: number;
  /** Rejects with the method's error, or when the program ends before it answers. */
  call<K extends keyof M & string>(
    method: K,
    input: Parameters<M[K]>[0],
  ): Promise<Awaited<ReturnType<M[K]>>>;
  close(): Promise<void>;
}

/** `file` is relative to this folder. `env` extends the environment of this process. */
export function openProgram<M extends Methods<M>>(
  file: string,
  env: Record<string, string> = {},
): Program<M> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child: ChildProcess = fork(path, {
    // Peers run with Node's defaults; Jobwire runs with the options of `npm start`.
    execArgv: ["--expose-gc", ...(file.startsWith("servers/jobwire") ? NODE_ARGS : [])],
    env: { ...process.env, ...env },
  });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let asked = 0;
  let ended: Error | undefined;

  killOnExit(child);
  child.on("message", (answer: Answer) => {
    const open = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("error" in answer) open?.reject(new Error(`${file}: ${answer.error}`));
    else open?.resolve(answer.result);
  });
  child.once("exit", (code, signal) => {
    ended = new Error(`${file} ended (${code ?? signal}) before it answered.`);
    for (const { reject } of waiting.values()) reject(ended);
  });

  return {
    pid: child.pid ?? 0,
    call(method, input) {
      const answer = Promise.withResolvers<unknown>();
      if (ended !== undefined) return Promise.reject(ended);
      asked += 1;
      waiting.set(asked, answer);
      child.send({ id: asked, method, input } satisfies Question);
      return answer.promise as never;
    },
    async close() {
      if (ended !== undefined) return;
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}

/** The program's side of the protocol. The program ends when its parent disconnects. */
export function answerCalls<M extends Methods<M>>(methods: M, close: () => unknown): void {
  const answer = async ({ id, method, input }: Question): Promise<Answer> => {
    try {
      const run: (input: never) => unknown = methods[method as keyof M];
      return { id, result: await run(input as never) };
    } catch (error) {
      return { id, error: error instanceof Error ? (error.stack ?? "") : messageOf(error) };
    }
  };
  process.on("message", (question: Question) => {
    void answer(question).then((given) => process.send?.(given));
  });
  process.once("disconnect", () => {
    void Promise.resolve(close()).finally(() => process.exit());
  });
}
