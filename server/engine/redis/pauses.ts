/** The pauses: a hash in the ring's slot, so that the script which gives turns sees them. */
import { byScope, type PauseStore, tooManyPauses } from "#server/engine/pause-store.ts";
import { MAX_PAUSES } from "#shared/limits.ts";
import { PauseSchema } from "#shared/pause.schema.ts";
import type { Pause, PauseScope } from "#shared/pause.ts";
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";
import type { Ring } from "./ring.ts";
import type { RunScript } from "./scripts.ts";
import { createLook } from "./sweep.ts";

/** `turns.lua` makes those without a kind itself. */
function fieldOf({ tenant = "", kind = "" }: PauseScope): string {
  return `${encodeURIComponent(kind)} ${tenant}`;
}

/** The tenant that has no turns while such a pause is stored; empty: none. */
const tenantOf = ({ tenant = "", kind = "" }: PauseScope) => (kind === "" ? tenant : "");

const decode = (text: string): Pause => PauseSchema.parse(JSON.parse(text));

export interface PausesOptions {
  redis: Client;
  run: RunScript;
  keys: Keys;
  ring: Pick<Ring, "tell">;
}

export function createPauses({ redis, run, keys, ring }: PausesOptions): PauseStore {
  const look = createLook(run, keys);
  return {
    obeys: { tenants: true, kinds: false },
    async set(pause) {
      const text = JSON.stringify(pause);
      const before = await run<string | null>(
        "set-pause",
        keys.ring,
        fieldOf(pause),
        text,
        MAX_PAUSES,
        tenantOf(pause),
      );
      if (before === null) throw tooManyPauses();
      return before === "" ? undefined : decode(before);
    },
    async remove(scope) {
      const removed = await run<string>("remove-pause", keys.ring, fieldOf(scope));
      if (removed === "") return undefined;
      const tenant = tenantOf(scope);
      // The ring forgot it. If this fails the sweep tells it again.
      if (tenant !== "") await ring.tell(await look(tenant));
      return decode(removed);
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
