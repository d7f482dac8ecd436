/** Reads members of sorted sets by their scores. */
import type { Client } from "./client.ts";
import { inPairs } from "./records.ts";

export interface Member {
  name: string;
  score: number;
}

/** Returns members below a score, lowest first: at most `limit`, after the first `skip`. */
export async function membersBelow(
  redis: Client,
  key: string,
  { below, limit, skip = 0 }: { below: number; limit: number; skip?: number },
): Promise<Member[]> {
  const bounds = ["-inf", `(${below}`] as const;
  const flat = await redis.zrange(key, ...bounds, "BYSCORE", "LIMIT", skip, limit, "WITHSCORES");
  return inPairs(flat).map(([name, score]) => ({ name, score: Number(score) }));
}
