/** The pauses: a hash in the ring's slot, so that the script which gives turns sees them. */
import { byScope, type PauseStore, tooManyPauses } from "#server/engine/pause-store.ts";
import { MAX_PAUSES } from "#shared/limits.ts";
import { PauseSchema } from "#shared/pause.schema.ts";
import type { Pause, PauseScope } from "#shared/pause.ts";
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";
import type { RunScript } from "./scripts.ts";

/** Scripts name the one of all jobs: a space alone. */
function fieldOf({ tenant = "", kind = "" }: PauseScope): string {
  return `${encodeURIComponent(tenant)} ${encodeURIComponent(kind)}`;
}

const decode = (text: string): Pause => PauseSchema.parse(JSON.parse(text));

export function createPauses(redis: Client, run: RunScript, keys: Keys): PauseStore {
  return {
    obeys: { tenants: false, kinds: false },
    async set(pause) {
      const text = JSON.stringify(pause);
      const field = fieldOf(pause);
      const before = await run<string | null>("set-pause", keys.ring, field, text, MAX_PAUSES);
      if (before === null) throw tooManyPauses();
      return before === "" ? undefined : decode(before);
    },
    async remove(scope) {
      const removed = await run<string>("remove-pause", keys.ring, fieldOf(scope));
      return removed === "" ? undefined : decode(removed);
    },
    async list() {
      return (await redis.hvals(keys.pauses)).map(decode).toSorted(byScope);
    },
  };
}

/** Stores a pause of another engine. */
export function putPause(redis: Client, keys: Keys, pause: Pause): Promise<unknown>[] {
  return [redis.hset(keys.pauses, fieldOf(pause), JSON.stringify(pause))];
}
