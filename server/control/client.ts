/** The command's side of the control socket. */
import { request } from "node:http";
import type { Management } from "#server/auth/management.ts";
import { AppError, messageOf } from "#shared/errors.ts";
import {
  ASSIGN,
  type Call,
  CONTROL_VERSION,
  ControlError,
  CREATE_KEY,
  DELETE_SCHEDULE,
  DRAIN_WORKER,
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

const ANSWER_TIMEOUT_MS = 10_000;
/** A page of keys with all the scopes that they may have is smaller. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** No server listens on the socket: the call was not made. */
export class NoServer extends Error {
  override readonly name = "NoServer";
}

const ABSENT = new Set(["ECONNREFUSED", "ENOENT", "ENOTDIR"]);

/** The management of a running server. Calls also reject with `NoServer`. */
export function createRemoteManagement(path: string): Management {
  return {
    apiKeys: {
      create: (request) => callServer(path, CREATE_KEY, request),
      list: (query) => callServer(path, LIST_KEYS, query),
      revoke: (id) => callServer(path, REVOKE_KEY, { id }),
    },
    audit: { list: (query) => callServer(path, LIST_AUDIT, query) },
    jobs: { assign: (to) => callServer(path, ASSIGN, to) },
    // A server records its own actor for the command.
    pauses: {
      list: () => callServer(path, LIST_PAUSES, {}),
      set: (scope) => callServer(path, SET_PAUSE, scope),
      remove: (scope) => callServer(path, REMOVE_PAUSE, scope),
    },
    schedules: {
      list: (query) => callServer(path, LIST_SCHEDULES, query),
      pause: (id) => callServer(path, PAUSE_SCHEDULE, { id }),
      resume: (id) => callServer(path, RESUME_SCHEDULE, { id }),
      trigger: (id) => callServer(path, TRIGGER_SCHEDULE, { id }),
      delete: (id) => callServer(path, DELETE_SCHEDULE, { id }),
    },
    users: { list: (query) => callServer(path, LIST_USERS, query) },
    revocations: {
      revoke: (tenant, what) => callServer(path, REVOKE, { tenant, what }),
    },
    workers: {
      list: (query) => callServer(path, LIST_WORKERS, query),
      drain: (id) => callServer(path, DRAIN_WORKER, { id }),
      resume: (id) => callServer(path, RESUME_WORKER, { id }),
    },
  };
}

/** Has a running server write a backup to a file of its machine. Rejects as `Engine.backup` does, or with `NoServer`. */
export function requestBackup(socketPath: string, path: string): Promise<{ bytes: number }> {
  return callServer(socketPath, MAKE_BACKUP, { path });
}

/** Rejects with `NoServer`, with the server's `AppError`, or with `UNAVAILABLE` if the outcome is not known. */
async function callServer<I, O>(path: string, call: Call<I, O>, input: I): Promise<O> {
  const { name, output, lasts } = call;
  const body = JSON.stringify(input);
  const signal = lasts ? undefined : AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const answer = parseJson(await post(path, `/${CONTROL_VERSION}/${name}`, { body, signal }));
  const failed = ControlError.safeParse(answer);
  if (failed.success) throw new AppError(failed.data.error.code, failed.data.error.message);
  const parsed = output.safeParse(answer);
  if (!parsed.success) throw notUnderstood(path);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function notUnderstood(path: string): AppError {
  return new AppError(
    "UNAVAILABLE",
    `The server at ${path} gave an answer that this command does not understand. Run the command of the version that the server runs.`,
  );
}

function post(
  socketPath: string,
  path: string,
  { body, signal }: { body: string; signal: AbortSignal | undefined },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
    };
    const call = request({ socketPath, path, method: "POST", headers, agent: false, signal });
    call.once("error", (error) => reject(reasonOf(error, socketPath)));
    call.once("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes > MAX_ANSWER_BYTES) response.destroy(notUnderstood(socketPath));
      });
      response.once("error", (error) => reject(reasonOf(error, socketPath)));
      response.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    });
    call.end(body);
  });
}

function reasonOf(error: Error, path: string): Error {
  if (error instanceof AppError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (ABSENT.has(code ?? "")) return new NoServer(`No server listens on ${path}.`);
  if (code === "EACCES" || code === "EPERM") {
    return new AppError(
      "FORBIDDEN",
      `The control socket ${path} belongs to another user. Run the command as the user that runs the server.`,
    );
  }
  return new AppError(
    "UNAVAILABLE",
    `The server at ${path} gave no answer (${messageOf(error)}). List the keys to see whether the command took effect.`,
  );
}
