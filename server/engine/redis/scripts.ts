/**
 * The scripts: what must change together, or be read at one moment, is one of them. Each says what it takes and
 * answers. ioredis sends one whole the first time and by its hash from then on, and whole again where Redis has
 * forgotten it (`SCRIPT FLUSH`, a restart, another node).
 */
import { readFileSync } from "node:fs";
import type { Client } from "./client.ts";

const NAMES = [
  "append-draft",
  "change",
  "claim",
  "create",
  "list-batches",
  "list-jobs",
  "note-tenant",
  "prune",
  "read-draft",
  "read-events",
  "read-feed",
  "renew",
] as const;
export type ScriptName = (typeof NAMES)[number];

/** `key` chooses the slot: the prefix of a tenant's keys, or of the directory's. */
export type RunScript = <Answer>(
  name: ScriptName,
  key: string,
  ...args: readonly Argument[]
) => Promise<Answer>;

/** Very many of them come as a list: they are too many for a call. */
type Argument = string | number | readonly string[];
type Command = (...args: Argument[]) => Promise<unknown>;

export function createScripts(redis: Client): RunScript {
  for (const name of NAMES) {
    const lua = readFileSync(new URL(`scripts/${name}.lua`, import.meta.url), "utf8");
    redis.defineCommand(name, { numberOfKeys: 1, lua });
  }
  const commands = redis as unknown as Record<ScriptName, Command>;
  return async <Answer>(
    name: ScriptName,
    key: string,
    ...args: readonly Argument[]
  ): Promise<Answer> => (await commands[name](key, ...args)) as Answer;
}
