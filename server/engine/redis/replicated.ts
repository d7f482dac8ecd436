/** Waits for the replicas of a cluster. */
import { Redis } from "ioredis";
import { AppError } from "#shared/errors.ts";
import { type Client, mastersOf } from "./client.ts";

const PATIENCE_MS = 2000;

/**
 * Resolves when each node of a cluster that has replicas has the earlier writes of this client on one of them. Otherwise rejects
 * with `UNAVAILABLE`. Outside a cluster there is nothing to wait for: what a failover loses are then the newest writes.
 */
export async function replicated(client: Client): Promise<void> {
  if (client instanceof Redis) return;
  const behind = await Promise.all(mastersOf(client).map(isBehind));
  if (!behind.includes(true)) return;
  throw new AppError(
    "UNAVAILABLE",
    "A node of the Redis cluster has no replica that keeps up. Try again.",
  );
}

async function isBehind(node: Redis): Promise<boolean> {
  const info = await node.info("replication");
  if (!/^connected_slaves:[1-9]/m.test(info)) return false;
  return (await node.wait(1, PATIENCE_MS)) === 0;
}
