/** Connections to BullMQ's Redis, for reading alone. They reconnect until they are closed. */
import { Redis } from "ioredis";
import { messageOf } from "#shared/errors.ts";
import type { BullmqConnection } from "./options.ts";

/** `XRANGE` from after an id. */
const OLDEST = [6, 2] as const;
const COMMAND_TIMEOUT_MS = 20_000;

/** `onError` is told of each failed attempt to connect. */
export function connect(
  connection: string | BullmqConnection,
  why: "commands" | "waiting",
  onError: (error: Error) => void,
): Redis {
  const options = {
    lazyConnect: true,
    // Its `INFO` needs more than read rights.
    enableReadyCheck: false,
    connectionName: "jobwire-mirror",
    maxRetriesPerRequest: 1,
    retryStrategy: (times: number) => Math.min(50 * times, 2000),
    ...(why === "commands" && { commandTimeout: COMMAND_TIMEOUT_MS }),
  };
  const redis =
    typeof connection === "string"
      ? new Redis(connection, options)
      : new Redis({ ...options, ...settingsOf(connection) });
  redis.on("error", onError);
  return redis;
}

function settingsOf({ host, port, username, password, db, tls }: BullmqConnection) {
  return {
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(db !== undefined && { db }),
    ...(tls === true && { tls: {} }),
  };
}

/** Rejects where the version is too old. Users with read rights may not ask for it, which is no reason to refuse. */
export async function checkVersion(redis: Redis): Promise<void> {
  const info = await redis.info("server").catch((error: unknown) => {
    if (messageOf(error).startsWith("NOPERM")) return "";
    throw error;
  });
  assertVersion(info);
}

/** `info`: what `INFO` answers, or nothing. */
export function assertVersion(info: string): void {
  const [, major, minor] = /redis_version:(\d+)\.(\d+)/.exec(info) ?? [];
  if (major === undefined || minor === undefined) return;
  const [oldest, oldestMinor] = OLDEST;
  if (Number(major) > oldest || (Number(major) === oldest && Number(minor) >= oldestMinor)) return;
  throw new Error(
    `BullMQ's Redis has the version ${major}.${minor}; Jobwire reads its events from ${oldest}.${oldestMinor} on. Upgrade it.`,
  );
}
