/** A stranger, in a process of its own: what it costs to be hostile is not what is measured. */
import { setImmediate } from "node:timers/promises";
import { answerCalls } from "#bench/program.ts";
import type { Attack } from "#e2e/hostile/attack.ts";
import { CATALOGUE } from "#e2e/hostile/catalogue.ts";

export type Fault = keyof typeof CATALOGUE;

export interface AttackerProgram {
  /** Sends every input that looks for this fault, again and again, until the program is closed: never resolves. */
  attack(input: { fault: Fault; port: number }): Promise<void>;
}

const program: AttackerProgram = {
  async attack({ fault, port }) {
    const attacks: readonly Attack[] = CATALOGUE[fault];
    for (;;) {
      for (const { inputs, atOnce = false } of attacks) {
        const turns = atOnce ? [inputs] : inputs.map((input) => [input]);
        for (const together of turns) {
          // Answers are for the tests to judge, and so are connections that are closed.
          await Promise.allSettled(together.map(({ send }) => send({ host: "127.0.0.1", port })));
          await setImmediate();
        }
      }
    }
  },
};

answerCalls(program, () => {});
