/**
 * The pauses: a hash in the ring's slot, so that the script which gives turns sees them. The scripts keep a list of the paused
 * kinds of each tenant beside it, which it reads.
 */
import {
  byScope,
  type PauseStore,
  tooManyPausedKinds,
  tooManyPauses,
} from "#server/engine/pause-store.ts";
import { MAX_PAUSED_KINDS, MAX_PAUSES } from "#shared/limits.ts";
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
    async set(pause) {
      const before = await store(run, keys, pause);
      if (before === null) throw tooManyPauses();
      if (before === 0) throw tooManyPausedKinds();
      return before === "" ? undefined : decode(before);
    },
    async remove(scope) {
      const { tenant = "", kind = "" } = scope;
      const removed = await run<string>("remove-pause", keys.ring, fieldOf(scope), tenant, kind);
      if (removed === "") return undefined;
      // The ring forgot it, or its jobs of the kind. If this fails the sweep tells it again.
      if (tenant !== "") await ring.tell(await look(tenant));
      return decode(removed);
    },
    async list() {
      return (await redis.hvals(keys.pauses)).map(decode).toSorted(byScope);
    },
  };
}

/** Stores a pause of another engine. */
export async function putPause(run: RunScript, keys: Keys, pause: Pause): Promise<void> {
  await store(run, keys, pause);
}

/** Answers as `set-pause.lua`. */
function store(run: RunScript, keys: Keys, pause: Pause): Promise<string | 0 | null> {
  const { tenant = "", kind = "" } = pause;
  const text = JSON.stringify(pause);
  return run(
    "set-pause",
    keys.ring,
    fieldOf(pause),
    text,
    MAX_PAUSES,
    tenant,
    kind,
    MAX_PAUSED_KINDS,
  );
}
