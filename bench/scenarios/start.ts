/** Time from the start of the program until it listens, with new data, compared with an empty Node program. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { median } from "#bench/statistics.ts";
import { NODE_ARGS } from "#e2e/node-args.ts";
import type { Scenario } from "./scenario.ts";

const MAIN = fileURLToPath(new URL("../../server/main.ts", import.meta.url));
const STARTED = "ms, median";

export const start: Scenario = {
  name: "start",
  async run({ quick }) {
    const times = quick ? 1 : 9;
    // The first start fills the compile cache.
    const cold = await timeStart();
    const ours: number[] = [];
    const bare: number[] = [];
    for (let i = 0; i < times; i += 1) {
      ours.push(await timeStart());
      bare.push(await timeBare());
    }
    return {
      scenario: "start",
      title: "Start to listening, with a new data directory",
      rows: [
        { who: "Jobwire", figures: { [STARTED]: median(ours), "first, ms": cold } },
        { who: "Node that does nothing, start to end", figures: { [STARTED]: median(bare) } },
      ],
      goals: [{ what: "start to listening", figure: median(ours), unit: " ms", atMost: 300 }],
    };
  },
};

async function timeStart(): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), "jobwire-bench-"));
  const begin = performance.now();
  const child = spawn(process.execPath, [...NODE_ARGS, MAIN], {
    env: { PORT: "0", DATA_DIR: dataDir },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(child, "close");
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('"msg":"listening"')) return performance.now() - begin;
    }
    throw new Error("The server exited before it listened.");
  } finally {
    child.kill("SIGTERM");
    await gone;
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function timeBare(): Promise<number> {
  const begin = performance.now();
  await once(spawn(process.execPath, ["-e", "0"]), "close");
  return performance.now() - begin;
}
