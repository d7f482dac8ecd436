/** A fresh engine for each test of the contract. */
import { test as base } from "vitest";
import type { Capabilities, Engine } from "#server/engine/contract.ts";
import type { TenantWeights } from "#server/engine/turns.ts";

/** The limit of audit lists in the suite, with which every engine is opened. */
export const AUDIT_ENTRIES = 40;

/** The weights of tenants in the suite, with which every engine is opened. */
export const WEIGHTS: TenantWeights = new Map([
  ["double", 2],
  ["triple", 3],
  // Its step is rounded.
  ["thirteen", 13],
]);

/** Data of an engine, empty at first. */
export interface EngineData {
  /** Opens it: the same data each time. Two at once only where `capabilities.multiProcess`. */
  open(): Promise<Engine>;
  /**
   * Tests pass the wall clock as an argument. This advances the clock that the engine reads by itself by `ms`: a delay or
   * a lease that ends before the new time has ended, and what waits in the queue has waited longer.
   */
  pass(ms: number): Promise<void>;
  destroy(): Promise<void>;
}

export interface EngineUnderTest {
  name: string;
  capabilities: Capabilities;
  prepare(): Promise<EngineData>;
}

/** `data` closes every engine that it opened at the end of the test. */
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
