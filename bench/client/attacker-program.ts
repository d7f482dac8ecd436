/** A hostile client in a process of its own, so that the cost of attacking is not measured. */
import { setImmediate } from "node:timers/promises";
import { answerCalls } from "#bench/program.ts";
import type { Attack } from "#e2e/hostile/attack.ts";
import { CATALOGUE } from "#e2e/hostile/catalogue.ts";

export type Fault = keyof typeof CATALOGUE;

export interface AttackerProgram {
  /** Sends all inputs for this fault repeatedly until the program is closed. Never resolves. */
  attack(input: { fault: Fault; port: number }): Promise<void>;
}

const program: AttackerProgram = {
  async attack({ fault, port }) {
    const attacks: readonly Attack[] = CATALOGUE[fault];
    for (;;) {
      for (const { inputs, atOnce = false } of attacks) {
        const turns = atOnce ? [inputs] : inputs.map((input) => [input]);
        for (const together of turns) {
          // The end-to-end tests judge the answers and closed connections.
          await Promise.allSettled(together.map(({ send }) => send({ host: "127.0.0.1", port })));
          await setImmediate();
        }
      }
    }
  },
};

answerCalls(program, () => {});
