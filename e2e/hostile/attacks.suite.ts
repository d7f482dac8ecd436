/** Runs attacks against a real server, with bystanders on every transport. */
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { type DrivenServer, startDrivenServer } from "#e2e/delivery/driven-server.ts";
import { type Attack, faultsOf, type Target } from "./attack.ts";
import { openBystanders } from "./bystanders.ts";
import { forgetPeak, peakMib, residentMib } from "./process-memory.ts";
import { STALL_TIMEOUT_MS } from "./raw-socket.ts";
import { ask, postJson } from "./requests.ts";

/** Most MiB that may stay allocated after an attack. */
const MAY_STAY_MIB = 80;
const MAY_PEAK_MIB = 200;
/** V8 returns memory only when it is idle, which takes time. */
const FREED = { timeout: 120_000, interval: 200 };
/** Ends a server that leaks before it exhausts the machine's memory. */
const HEAP_MIB = 1024;
/** Safety net for a server that hangs; generous for slow machines. */
const ATTACK_MS = 1_200_000;

const CONFIG = {
  STALL_TIMEOUT_MS: String(STALL_TIMEOUT_MS),
  SHUTDOWN_GRACE_MS: "0",
  ALLOW_EIO3: "true",
  FETCH_ALLOW: "127.0.0.1",
  CONCURRENCY: "30",
};

const targetOf = ({ url }: DrivenServer): Target => ({
  host: "127.0.0.1",
  port: Number(new URL(url).port),
});

async function answers(server: DrivenServer): Promise<boolean> {
  return (await ask(targetOf(server), "/healthz")).status === 200;
}

/** Lets the server allocate memory that it needs once: compiled code, caches, buffers. */
async function warmUp(server: DrivenServer): Promise<void> {
  const target = targetOf(server);
  const bystanders = await openBystanders(server);
  for (let n = 0; n < 10; n += 1) {
    await postJson(target, "/trpc/job.create", `{"json":"${"x".repeat(2_000_000)}"}`);
    await ask(target, "/trpc/job.list");
  }
  expect(await bystanders.leave()).toEqual([]);
}

export function testAttacks(attacks: readonly Attack[]): void {
  let started: DrivenServer | undefined;
  let restingMib = 0;

  async function running(): Promise<DrivenServer> {
    if (started !== undefined) return started;
    started = await startDrivenServer(CONFIG, [`--max-old-space-size=${HEAP_MIB}`]);
    await warmUp(started);
    restingMib = residentMib(started.pid);
    return started;
  }
  // The next attack needs a working server.
  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    await started?.kill("SIGKILL");
    await started?.stop();
    started = undefined;
  });
  afterAll(() => started?.stop());

  test.for(attacks)(
    "[H10] over $over, $name: the sender gets the expected response, and other clients are not affected",
    { timeout: ATTACK_MS },
    async ({ inputs, atOnce = false, peakMib: mayPeak = MAY_PEAK_MIB }) => {
      const server = await running();
      const { pid } = server;
      const target = targetOf(server);
      forgetPeak(pid);
      const bystanders = await openBystanders(server);
      const faults: string[] = [];
      const fire = async (input: (typeof inputs)[number]) => {
        faults.push(...faultsOf(input, await input.send(target)));
      };
      const turns = atOnce ? [inputs] : inputs.map((input) => [input]);
      for (const together of turns) {
        await Promise.all(together.map(fire));
        // A hung server would fail all remaining inputs.
        if (faults.length > 0 && !(await answers(server))) break;
      }
      faults.push(...(await bystanders.leave()));
      expect(faults).toEqual([]);
      expect(server.complaints()).toBe("");
      expect(peakMib(pid) - restingMib, "MiB at the peak").toBeLessThan(mayPeak);
    },
  );

  test(
    "after all attacks, the server's memory is what it was",
    { timeout: ATTACK_MS },
    async () => {
      const { pid } = await running();
      await vi.waitFor(
        () => expect(residentMib(pid) - restingMib, "MiB that stay").toBeLessThan(MAY_STAY_MIB),
        FREED,
      );
    },
  );

  test("after all attacks, SIGTERM stops the server with exit code 0", async () => {
    const { kill } = await running();
    expect(await kill("SIGTERM")).toBe(0);
  });
}
