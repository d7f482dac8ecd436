/** Kinds whose code throws outside of every call of ours. */
import { EventEmitter } from "node:events";
import { createReadStream } from "node:fs";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { z } from "zod";
import { type AnyKind, defineKind, delivered, type RunContext } from "#server/kinds/define.ts";

const bug = (): never => {
  throw new Error("a bug");
};
const hostile = () => {
  throw new Proxy({}, { getPrototypeOf: bug, get: bug }) as Error;
};
const noError = () => {
  throw Object.create(null) as Error;
};

/** The ways in which code can throw outside of `run`. */
const STRAYS = {
  "from a timer": () => void setTimeout(bug, 1),
  "from an interval": ({ signal }) => {
    const timer = setInterval(bug, 1);
    signal.addEventListener("abort", () => clearInterval(timer));
  },
  "from an immediate": () => void setImmediate(bug),
  "from a tick": () => process.nextTick(bug),
  "from a microtask": () => queueMicrotask(bug),
  "as a rejection": () => void Promise.reject(new Error("a bug")),
  "as a rejection much later": () =>
    void delay(5)
      .then(() => delay(5))
      .then(bug),
  "as a rejection with nothing": () => void Promise.reject(undefined),
  "as a rejection with a proxy": () => void delay(1).then(hostile),
  "as an object without a prototype": () => void setTimeout(noError, 1),
  "as a proxy": () => void setTimeout(hostile, 1),
  "as an error event": () => void setTimeout(() => new EventEmitter().emit("error", bug), 1),
  "as a connection that fails": () => void connect(1, "127.0.0.1"),
  "as a file that is not there": () => void createReadStream("/is/not/there"),
  "from a thread": () => void new Worker("throw new Error('a bug')", { eval: true }),
  "after a report": ({ progress }) => void progress(50, "Half").then(bug),
  "when it is told to stop": ({ signal, progress }) => {
    signal.addEventListener("abort", bug);
    void progress(50, null as unknown as string);
  },
} satisfies Record<string, (context: RunContext<unknown>) => void>;

const start = { progress: 0, message: "Begun" };

/** Its check of details throws when it is over. */
const checksDetails = defineKind({
  name: "from_a_check_of_details",
  description: "Throws outside of `run`.",
  input: z.unknown(),
  details: z.unknown().refine(() => {
    setTimeout(bug, 1);
    return true;
  }),
  output: z.unknown(),
  start,
  async run({ progress, signal }) {
    await progress(50, "Half", { done: 1 });
    await delay(60_000, undefined, { signal });
    return null;
  },
});

/** A kind for each way, which gives its name, with `_` for spaces. */
export const strayKinds: readonly AnyKind[] = [
  checksDetails,
  ...Object.entries(STRAYS).map(([name, throwLater]) =>
    defineKind({
      name: name.replaceAll(" ", "_"),
      description: "Throws outside of `run`.",
      input: z.unknown(),
      output: z.unknown(),
      title: () => name,
      start,
      run(context) {
        throwLater(context);
        return new Promise((_resolve, reject) => {
          context.signal.addEventListener("abort", () => reject(new Error("stopped")));
        });
      },
    }),
  ),
];

export const returnsFirst = defineKind({
  name: "returnsFirst",
  description: "Throws when its job is over.",
  input: z.unknown(),
  output: z.unknown(),
  title: () => "Throws later",
  start,
  async run() {
    setTimeout(bug, 5);
    return delivered("Done", null);
  },
});

export const checksLater = defineKind({
  name: "checksLater",
  description: "Has a check that rejects when nothing waits for it any more.",
  input: z.unknown().refine(() => delay(1).then(bug)),
  output: z.unknown(),
  title: () => "Never",
  start,
  run: () => new Promise(() => {}),
});

export const outputChecksLater = defineKind({
  name: "outputChecksLater",
  input: z.unknown(),
  output: z.unknown().refine(() => delay(1).then(bug)),
  run: async () => null,
});
