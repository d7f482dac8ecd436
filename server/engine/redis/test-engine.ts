/** For tests: an engine that looks for what was left behind all the time, and is closed with its test. */
import { onTestFinished } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { openRedisEngine } from "./open.ts";

export async function openTestEngine(url: string): Promise<Engine> {
  const engine = await openRedisEngine({ url, checkEveryMs: 20, lateMs: 0 });
  onTestFinished(() => engine.close());
  return engine;
}
