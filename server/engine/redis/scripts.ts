/**
 * The scripts: what must change together, or be read at one moment, is one of them. Each says what it takes and
 * answers. ioredis sends one whole the first time and by its hash from then on, and whole again where Redis has
 * forgotten it (`SCRIPT FLUSH`, a restart, another node).
 */
import { readFileSync } from "node:fs";
import type { Client } from "./client.ts";
import { alwaysThere } from "./keys.ts";

const NAMES = [
  "append-draft",
  "change",
  "claim",
  "create",
  "end-session",
  "list-batches",
  "list-jobs",
  "note-tenant",
  "prune",
  "read-draft",
  "read-events",
  "read-feed",
  "renew",
  "save-session",
  "take-session",
] as const;
export type ScriptName = (typeof NAMES)[number];

/** `prefix`: of a tenant's keys, or of the directory's. */
export type RunScript = <Answer>(
  name: ScriptName,
  prefix: string,
  ...args: readonly Argument[]
) => Promise<Answer>;

/** Very many of them come as a list: they are too many for a call. */
type Argument = string | number | readonly string[];
type Command = (...args: Argument[]) => Promise<unknown>;

/**
 * A script reaches many keys and names two: the prefix, which is no key, and one that is there since there are any. Of
 * two keys of which one is missing, a cluster says TRYAGAIN while it moves their slot from one node to another. Where
 * all were missing, or none, it would run the script among half of the keys.
 */
const KEYS = 2;

export function createScripts(redis: Client): RunScript {
  for (const name of NAMES) {
    const lua = readFileSync(new URL(`scripts/${name}.lua`, import.meta.url), "utf8");
    redis.defineCommand(name, { numberOfKeys: KEYS, lua });
  }
  const commands = redis as unknown as Record<ScriptName, Command>;
  return async <Answer>(
    name: ScriptName,
    prefix: string,
    ...args: readonly Argument[]
  ): Promise<Answer> => (await commands[name](prefix, alwaysThere(prefix), ...args)) as Answer;
}
