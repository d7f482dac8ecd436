/** Starts `app.ts` and tells it what to do. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import superjson from "superjson";
import { COMPILE_CACHE } from "#e2e/compile-cache.ts";
import { NODE_ARGS } from "#e2e/node-args.ts";
import { newTestData } from "#test/engine/data.fixture.ts";
import type { JobEvent } from "#shared/events.ts";
import type { Memory, Order } from "./app.ts";
import { killOnExit } from "#test/kill-on-exit.ts";

const APP = fileURLToPath(new URL("app.ts", import.meta.url));

type Without<T> = T extends unknown ? Omit<T, "n"> : never;

export interface DrivenServer {
  readonly url: string;
  readonly pid: number;
  /** Everything it wrote to standard error. */
  complaints(): string;
  /** Rejects when the process ends by itself, with what is known of that. */
  readonly ended: Promise<never>;
  /** Resolves when the job runs. */
  startJob(): Promise<string>;
  emit(jobId: string, count: number, bytes?: number): Promise<void>;
  deliver(jobId: string): Promise<void>;
  logOf(jobId: string): Promise<JobEvent[]>;
  /** The value of a metric without labels. */
  gauge(name: string): Promise<number>;
  /** After a garbage collection. */
  memory(): Promise<Memory>;
  call(path: string, input: unknown, method?: "GET" | "POST"): Promise<unknown>;
  /** Ends the process with a signal and resolves when it is gone, to its exit code (`null`: the signal ended it). */
  kill(signal: NodeJS.Signals): Promise<number | null>;
  /** Ends the process and deletes the data. Rejects if the process had ended by itself. */
  stop(): Promise<void>;
}

/** `env`: beside its data and a free port. `execArgv`: for Node. */
export async function startDrivenServer(
  env: Record<string, string> = {},
  execArgv: readonly string[] = [],
): Promise<DrivenServer> {
  const data = await newTestData();
  const child = fork(APP, {
    env: {
      ...COMPILE_CACHE,
      ...data.env,
      PORT: "0",
      HOST: "127.0.0.1",
      LOG_LEVEL: "error",
      ...env,
    },
    execArgv: ["--expose-gc", ...NODE_ARGS, ...execArgv],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  killOnExit(child);
  let written = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => (written += text));
  }
  const waiting = new Map<number, (answer: { result?: unknown; error?: string }) => void>();
  let n = 0;
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => undefined);
  const ready = new Promise<string>((resolve, reject) => {
    child.on(
      "message",
      (answer: { url?: string; n?: number; result?: unknown; error?: string }) => {
        if (answer.url !== undefined) return resolve(answer.url);
        waiting.get(answer.n ?? 0)?.(answer);
        waiting.delete(answer.n ?? 0);
      },
    );
    child.once("exit", (code, signal) => {
      const error = `The server ended (${signal ?? `exit code ${code}`}):\n${written}`;
      if (!child.killed) ended.reject(new Error(error));
      reject(new Error(error));
      for (const answer of waiting.values()) answer({ error });
    });
  });
  const url = await ready;

  function order(what: Without<Order>): Promise<unknown> {
    n += 1;
    child.send({ ...what, n });
    return new Promise((resolve, reject) => {
      waiting.set(n, ({ result, error }) =>
        error === undefined ? resolve(result) : reject(new Error(error)),
      );
    });
  }

  async function call(path: string, input: unknown, method: "GET" | "POST" = "GET") {
    const body = JSON.stringify(superjson.serialize(input));
    const response = await fetch(
      method === "GET"
        ? `${url}/trpc/${path}?input=${encodeURIComponent(body)}`
        : `${url}/trpc/${path}`,
      method === "GET" ? {} : { method, body, headers: { "content-type": "application/json" } },
    );
    const { result, error } = (await response.json()) as {
      result?: { data: Parameters<typeof superjson.deserialize>[0] };
      error?: unknown;
    };
    if (result === undefined) throw new Error(JSON.stringify(error));
    return superjson.deserialize(result.data);
  }

  async function kill(signal: NodeJS.Signals): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const gone = once(child, "exit");
    child.kill(signal);
    const [code] = (await gone) as [number | null];
    return code;
  }

  return {
    url,
    pid: child.pid ?? 0,
    kill,
    complaints: () => written,
    ended: ended.promise,
    async startJob() {
      const job = (await call("job.create", { kind: "driven", input: null }, "POST")) as {
        id: string;
      };
      for (;;) {
        const runs = order({ do: "emit", jobId: job.id, count: 0, bytes: 0 });
        if (
          await runs.then(
            () => true,
            () => child.exitCode !== null,
          )
        )
          return job.id;
      }
    },
    emit: async (jobId, count, bytes = 0) =>
      void (await order({ do: "emit", jobId, count, bytes })),
    deliver: async (jobId) => void (await order({ do: "deliver", jobId })),
    async logOf(jobId) {
      const log: JobEvent[] = [];
      for (;;) {
        const page = (await call("job.events", {
          jobId,
          limit: 1000,
          cursor: String(log.at(-1)?.seq ?? 0),
        })) as { items: JobEvent[] };
        if (page.items.length === 0) return log;
        log.push(...page.items);
      }
    },
    async gauge(name) {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
    },
    memory: () => order({ do: "memory" }) as Promise<Memory>,
    call,
    async stop() {
      await kill("SIGTERM");
      await data.remove();
      await Promise.race([ended.promise, Promise.resolve()]);
    },
  };
}
