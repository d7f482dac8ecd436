/** Clients of other users on every transport, who watch a job during an attack. */
import { setTimeout as delay } from "node:timers/promises";
import type { DrivenServer } from "#e2e/delivery/driven-server.ts";
import { WITNESSES } from "#e2e/delivery/witness.ts";
import { PATIENCE_MS, settles } from "./requests.ts";

export interface Bystanders {
  /** Ends the job. Resolves to missed events and unanswered requests, in words; empty if there are none. */
  leave(): Promise<string[]>;
}

/** Interval of events and `/healthz` requests; the server may be slower. */
const PACE_MS = 25;

export async function openBystanders(server: DrivenServer): Promise<Bystanders> {
  const jobId = await server.startJob();
  const witnesses = WITNESSES.map((open) => open(server.url, jobId));
  const faults: string[] = [];
  let over = false;

  async function repeat(step: () => Promise<string | undefined>): Promise<void> {
    while (!over && faults.length === 0) {
      const fault = await step().catch(String);
      if (fault !== undefined) faults.push(fault);
      await delay(PACE_MS);
    }
  }
  const loops = [
    repeat(async () => {
      await server.emit(jobId, 1, 100);
      return undefined;
    }),
    repeat(async () => {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const { status } = await fetch(`${server.url}/healthz`, { signal });
      return status === 200 ? undefined : `/healthz answers ${status}`;
    }),
  ];

  const told = () => witnesses.every((each) => each.newest() === "DELIVERED");

  return {
    async leave() {
      over = true;
      if (!(await settles(Promise.all(loops)))) return [...faults, "The server hangs."];
      if (faults.length > 0) return faults;
      await server.deliver(jobId);
      for (const until = performance.now() + PATIENCE_MS; !told() && performance.now() < until;) {
        await delay(10);
      }
      const log = await server.logOf(jobId);
      for (const witness of witnesses) {
        if (witness.newest() !== "DELIVERED")
          faults.push(`${witness.name}: did not receive the end`);
        faults.push(...witness.faults(log).map((fault) => `${witness.name}: ${fault}`));
        witness.leave();
      }
      return faults;
    },
  };
}
