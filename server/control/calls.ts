/** Answers each call of the command. */
import type { Logger } from "pino";
import type { Management } from "#server/auth/management.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { AppError } from "#shared/errors.ts";
import {
  ASSIGN,
  type Call,
  CREATE_KEY,
  DELETE_SCHEDULE,
  DRAIN_WORKER,
  faultOf,
  LIST_AUDIT,
  LIST_KEYS,
  LIST_PAUSES,
  LIST_SCHEDULES,
  LIST_USERS,
  LIST_WORKERS,
  MAKE_BACKUP,
  PAUSE_SCHEDULE,
  REMOVE_PAUSE,
  RESUME_SCHEDULE,
  RESUME_WORKER,
  REVOKE,
  REVOKE_KEY,
  SET_PAUSE,
  TRIGGER_SCHEDULE,
} from "./protocol.ts";

/** By name. A call takes what the body of its request holds, and rejects with `BAD_REQUEST` if that is no input of it. */
export type ControlCalls = ReadonlyMap<string, ControlCall>;

/** `signal` aborts when the command no longer waits for the answer. */
export type ControlCall = (body: unknown, signal: AbortSignal) => Promise<unknown>;

/** As `Engine.backup`. */
export type MakeBackup = (path: string, signal: AbortSignal) => Promise<{ bytes: number }>;

function handle<I, O>(
  { name, input }: Call<I, O>,
  run: (input: I, signal: AbortSignal) => Promise<O>,
): [name: string, call: ControlCall] {
  return [
    name,
    async (body, signal) => {
      const parsed = input.safeParse(body);
      if (!parsed.success) throw new AppError("BAD_REQUEST", faultOf(parsed.error));
      return run(parsed.data, signal);
    },
  ];
}

export function createControlCalls(
  { apiKeys, audit, jobs, pauses, revocations, schedules, users, workers }: Management,
  { log, backup }: { log: Pick<Logger, "info">; backup?: MakeBackup | undefined },
): ControlCalls {
  return new Map<string, ControlCall>([
    handle(CREATE_KEY, async (request) => {
      const made = await apiKeys.create(request);
      const { id, tenant, user, scopes } = made.record;
      log.info({ apiKey: id, tenant, user, scopes }, "An API key was created");
      return made;
    }),
    handle(ASSIGN, async (to) => {
      const assigned = await jobs.assign(to);
      const { moved, schedules: given } = assigned;
      if (moved + given.moved > 0) {
        log.info(
          { ...to, moved, schedules: given.moved },
          "Jobs and schedules were given to a user",
        );
      }
      return assigned;
    }),
    handle(LIST_AUDIT, (query) => audit.list(query)),
    handle(LIST_KEYS, (query) => apiKeys.list(query)),
    handle(REVOKE_KEY, async ({ id }) => {
      const record = await apiKeys.revoke(id);
      const { tenant, user } = record;
      log.info({ apiKey: id, tenant, user }, "An API key was revoked");
      return record;
    }),
    handle(LIST_USERS, (query) => users.list(query)),
    handle(MAKE_BACKUP, async ({ path }, signal) => {
      if (backup === undefined) {
        throw new AppError("BAD_REQUEST", "The store of this server has backups of its own.");
      }
      const made = await backup(path, signal);
      log.info({ path, ...made }, "A backup was made");
      return made;
    }),
    handle(LIST_PAUSES, () => pauses.list()),
    handle(SET_PAUSE, (scope) => pauses.set(scope, COMMAND_ACTOR)),
    handle(REMOVE_PAUSE, (scope) => pauses.remove(scope, COMMAND_ACTOR)),
    handle(LIST_WORKERS, (query) => workers.list(query)),
    handle(DRAIN_WORKER, ({ id }) => workers.drain(id, COMMAND_ACTOR)),
    handle(RESUME_WORKER, ({ id }) => workers.resume(id, COMMAND_ACTOR)),
    handle(LIST_SCHEDULES, (query) => schedules.list(query)),
    handle(PAUSE_SCHEDULE, ({ id }) => schedules.pause(id)),
    handle(RESUME_SCHEDULE, ({ id }) => schedules.resume(id)),
    handle(TRIGGER_SCHEDULE, ({ id }) => schedules.trigger(id)),
    handle(DELETE_SCHEDULE, ({ id }) => schedules.delete(id)),
    handle(REVOKE, ({ tenant, what }) => revocations.revoke(tenant, what, COMMAND_ACTOR)),
  ]);
}
