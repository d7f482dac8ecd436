/**
 * The Lua scripts: data that must change together, or be read at one moment, share a script. The head of each file documents
 * its arguments and answers. ioredis sends a script whole the first time and by its hash from then on, and whole again if
 * Redis does not know it (after `SCRIPT FLUSH`, a restart, on another node).
 */
import { readFileSync } from "node:fs";
import type { Client } from "./client.ts";
import { alwaysThere } from "./keys.ts";

const NAMES = [
  "add-share-link",
  "add-tenant-lists",
  "append-audit",
  "append-draft",
  "append-lines",
  "append-mirrored-lines",
  "assign-batch",
  "assign-job",
  "assign-schedule",
  "begin-move",
  "change",
  "check-permits",
  "claim",
  "copy-list",
  "count-kinds",
  "create",
  "create-api-key",
  "create-schedule",
  "drop-moved",
  "drop-staged",
  "end-session",
  "find-api-key",
  "find-revocations",
  "find-share-links",
  "forget-tenant",
  "held",
  "hold-mirror",
  "get-worker",
  "index-open",
  "keep-presence",
  "keep-worker",
  "kind-state",
  "land-jobs",
  "list-api-keys",
  "list-batches",
  "list-expired",
  "list-jobs",
  "list-moved",
  "list-schedules",
  "list-share-links",
  "list-workers",
  "look",
  "move-tenant",
  "note-expiring",
  "note-tenant",
  "prune",
  "put-copy",
  "read-draft",
  "read-events",
  "read-feed",
  "read-lines",
  "read-presence",
  "release-schedule",
  "remove-pause",
  "remove-schedule",
  "remove-share-links",
  "renew",
  "replace-schedule",
  "revoke-api-key",
  "revoke-token",
  "revoke-user",
  "save-session",
  "set-pause",
  "set-steps",
  "show-batch",
  "split-finished",
  "split-queue",
  "stale-permits",
  "stage-jobs",
  "take-schedules",
  "take-session",
  "take-ticket",
  "turns",
  "use-api-key",
  "waiting",
] as const;
export type ScriptName = (typeof NAMES)[number];

/** `prefix` is that of a tenant's keys, of the directory's, of the API keys, or of the ring. */
export type RunScript = <Answer>(
  name: ScriptName,
  prefix: string,
  ...args: readonly Argument[]
) => Promise<Answer>;

/** A list avoids JavaScript's limit on the arguments of a call. */
type Argument = string | number | readonly string[];
type Command = (...args: Argument[]) => Promise<unknown>;

/**
 * A script uses many keys but declares two: the prefix, which is not a key, and one that exists as long as any does. While a
 * cluster moves a slot, a node answers TRYAGAIN if one of two keys is missing. If both or neither were missing, the node
 * would run the script although only half of the keys are on it.
 */
const KEYS = 2;

/** A line of a script names parts of `scripts/shared/` that several scripts have. */
const USES = /^-- uses (.+)$/m;

/** The parts come first. Line numbers in errors are those of the whole. */
function read(name: ScriptName): string {
  const lua = readFileSync(new URL(`scripts/${name}.lua`, import.meta.url), "utf8");
  const parts = USES.exec(lua)?.[1]?.split(" ") ?? [];
  const shared = parts.map((part) =>
    readFileSync(new URL(`scripts/shared/${part}`, import.meta.url), "utf8"),
  );
  return [...shared, lua].join("");
}

export function createScripts(redis: Client): RunScript {
  for (const name of NAMES) {
    redis.defineCommand(name, { numberOfKeys: KEYS, lua: read(name) });
  }
  const commands = redis as unknown as Record<ScriptName, Command>;
  return async <Answer>(
    name: ScriptName,
    prefix: string,
    ...args: readonly Argument[]
  ): Promise<Answer> => (await commands[name](prefix, alwaysThere(prefix), ...args)) as Answer;
}
