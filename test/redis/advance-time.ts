/** For tests: advances the clocks of Redis and BullMQ. */
import { Worker } from "bullmq";
import { vi } from "vitest";
import { type Client, mastersOf, openClient, PATIENCE } from "#server/engine/redis/client.ts";

/** BullMQ scores a delayed job by its time, shifted left by twelve bits, which hold a counter. */
const SCORE_PER_MS = 0x1000;

/** Ages every lock, session, key of presence, node and delayed job by `ms`, and waits until jobs whose lock expired are back in the queue. */
export async function advanceTime(
  { client, url }: { client: Client; url: string },
  prefix: string,
  ms: number,
): Promise<void> {
  const queue = `{${prefix}}:jobs:`;
  for (const pattern of [
    `{${prefix}}:jobs:*:lock`,
    `${prefix}:{*}:session:*`,
    `${prefix}:{*}:presence:*`,
  ]) {
    const names = pattern.replaceAll(/[{}]/g, "?");
    const keys = await Promise.all(mastersOf(client).map((each) => each.keys(names)));
    for (const key of keys.flat()) {
      const left = await client.pttl(key);
      await (left > ms ? client.pexpire(key, left - ms) : client.del(key));
    }
  }
  const nodeLists = await Promise.all(
    mastersOf(client).map((each) => each.keys(`${prefix}:?*?:presence:nodes`)),
  );
  for (const key of nodeLists.flat()) {
    for (const node of await client.zrange(key, "0", "-1")) await client.zincrby(key, -ms, node);
  }
  const delayed = await client.zrange(`${queue}delayed`, "0", "-1");
  for (const id of delayed) await client.zincrby(`${queue}delayed`, `${-ms * SCORE_PER_MS}`, id);
  const abandoned = async () => {
    const active = await client.lrange(`${queue}active`, 0, -1);
    const held = await Promise.all(active.map((id) => client.exists(`${queue}${id}:lock`)));
    return held.filter((lock) => lock === 0).length;
  };
  if ((await abandoned()) === 0) return;
  const connection = openClient(url, client.isCluster, PATIENCE);
  const options = { stalledInterval: 2, maxStalledCount: Number.MAX_SAFE_INTEGER };
  const worker = new Worker("jobs", null, {
    connection,
    prefix: `{${prefix}}`,
    autorun: false,
    ...options,
  });
  void worker.startStalledCheckTimer();
  await vi.waitFor(
    async () => {
      if ((await abandoned()) > 0) throw new Error("Entries without a lock are still active.");
    },
    { timeout: 120_000, interval: 2 },
  );
  await worker.close(true);
  connection.disconnect();
}
