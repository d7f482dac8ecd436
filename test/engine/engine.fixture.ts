/** A fresh engine for each test of the contract. */
import { test as base } from "vitest";
import type { Capabilities, Engine } from "#server/engine/contract.ts";

/** Data of an engine, empty at first. */
export interface EngineData {
  /** Opens it: the same data each time. Two at once only where `capabilities.multiProcess`. */
  open(): Promise<Engine>;
  /**
   * Tests tell engines what the machine's clock says. What of an engine measures time by itself sees now that `ms` went
   * by: a delay or a lease that is over by that has ended.
   */
  pass(ms: number): Promise<void>;
  destroy(): Promise<void>;
}

export interface EngineUnderTest {
  name: string;
  capabilities: Capabilities;
  prepare(): Promise<EngineData>;
}

/** `data` closes at the end of the test whatever it opened. */
export function engineTest(subject: EngineUnderTest) {
  return base
    .extend("data", async ({ task: _task }, { onCleanup }) => {
      const data = await subject.prepare();
      const opened: Engine[] = [];
      onCleanup(async () => {
        for (const engine of opened) await engine.close();
        await data.destroy();
      });
      return {
        async open() {
          const engine = await data.open();
          opened.push(engine);
          return engine;
        },
        pass: (ms: number) => data.pass(ms),
        destroy: () => data.destroy(),
      } satisfies EngineData;
    })
    .extend("engine", ({ data }) => data.open());
}
