/**
 * Opens the clients of one Redis or cluster. Commands fail after a bounded time, so that callers get an error; clients that
 * only wait or listen reconnect without a limit.
 */
import type { Redis } from "ioredis";
import { AppError, messageOf } from "#shared/errors.ts";
import {
  BOUNDED,
  type Client,
  isClustered,
  mastersOf,
  type Nodes,
  nodesOf,
  openClient,
  openListening,
} from "./client.ts";
import { asAppError, labelOf, neverReached } from "./errors.ts";
import { alwaysThere, type Keys } from "./keys.ts";
import { addQueues, addTenantLists, splitFinished, splitQueues } from "./upgrade.ts";

export interface RedisClients {
  readonly label: string;
  /** For commands: each one succeeds or fails within some seconds. */
  readonly commands: Client;
  /** For subscriptions. */
  readonly nodes: Nodes;
  /** Opens a client for listening only, which waits for Redis without a limit. */
  listening(): Client;
  /** Closes all clients. */
  close(): void;
}

/** How long startup waits for a Redis that is also starting. */
const START_MS = 10_000;

/** The oldest version with sharded channels, and scripts that publish to them. */
export const OLDEST = 7;
/**
 * Version 2 stores records without field names. This program also reads version 1. Version 3 adds the lists and feeds of tenants,
 * version 4 their queues, in place of BullMQ's. Version 5 divides these, and the settled jobs, by kinds (`upgrade.ts`), and has records
 * with options, which earlier programs would lose. So does version 6 with schedules.
 */
export const SCHEMA_VERSION = 6;

/** `why`: only "import" may continue an interrupted import. */
export async function openClients(
  url: string,
  keys: Keys,
  why: "serve" | "import" = "serve",
): Promise<RedisClients> {
  const label = labelOf(url);
  const all: Client[] = [];
  function keep<C extends Client>(client: C): C {
    all.push(client);
    return client;
  }
  function close(): void {
    // A second `disconnect` of a closed connection keeps the process alive for two seconds.
    for (const client of all) if (client.status !== "end") client.disconnect();
  }

  try {
    const single = keep(openClient(url, false, BOUNDED));
    await reach(single, label);
    const clustered = await isClustered(single);
    const commands = clustered ? keep(openClient(url, true, BOUNDED)) : single;
    if (clustered) {
      single.disconnect();
      await reach(commands, label);
    }
    await check(commands, label, keys);
    if (why === "serve") await refuseUnfinished(commands, label, keys);
    const nodes = nodesOf(url, commands);
    return {
      label,
      commands,
      nodes,
      listening: () => keep(openListening(url, clustered)),
      close,
    };
  } catch (error) {
    close();
    throw asAppError(error, label);
  }
}

/** Errors that waiting does not cure. TLS errors have many different messages. */
const REFUSED = /NOAUTH|WRONGPASS|NOPERM|ERR AUTH|certificate|self-signed|ERR_TLS|SSL/i;

/** Waits until Redis answers. Errors that waiting does not cure fail at once. */
async function reach(redis: Client, label: string): Promise<void> {
  const end = performance.now() + START_MS;
  // The cause of the missing connection, which the error of a failed command does not contain.
  let reason: unknown;
  const onError = (error: unknown) => (reason = error);
  redis.on("error", onError);
  for (;;) {
    try {
      await redis.ping();
      redis.off("error", onError);
      return;
    } catch (failure) {
      const cause = reason ?? failure;
      if (REFUSED.test(messageOf(cause))) {
        throw new AppError(
          "DATA_UNUSABLE",
          `${label} refuses the connection (${messageOf(cause)}). Check the user, password and certificate of REDIS_URL.`,
          { cause },
        );
      }
      if (performance.now() > end) throw neverReached(cause, label);
    }
  }
}

async function check(redis: Client, label: string, keys: Keys): Promise<void> {
  await Promise.all(mastersOf(redis).map((each) => checkServer(each, label)));
  const [stored] = await Promise.all([
    redis.get(keys.schema),
    redis.setnx(alwaysThere(keys.directory), 1),
    redis.setnx(alwaysThere(keys.apiKeys), 0),
    redis.setnx(alwaysThere(keys.ring), 0),
  ]);
  await checkChannels(redis, label, keys);
  const found = Number(stored ?? 0);
  if (found > SCHEMA_VERSION) {
    throw new AppError(
      "DATA_UNUSABLE",
      `${label} has data of a newer version of Jobwire (${found}, this program knows ${SCHEMA_VERSION}). ` +
        "Nothing in it was changed. Start the newer version, or set REDIS_PREFIX to another name.",
    );
  }
  if (found > 0 && found < 3) await addTenantLists(redis, keys);
  if (found > 0 && found < 4) await addQueues(redis, keys);
  if (found > 0 && found < 5) {
    await splitQueues(redis, keys);
    await splitFinished(redis, keys);
  }
  if (found < SCHEMA_VERSION) await redis.set(keys.schema, SCHEMA_VERSION);
}

/** Without permission to publish, a script would stop half-way. A new Redis user has no channels by default. */
async function checkChannels(redis: Client, label: string, keys: Keys): Promise<void> {
  try {
    await redis.spublish(`${keys.directory}:hint`, "");
  } catch (cause) {
    if (!messageOf(cause).startsWith("NOPERM")) throw cause;
    throw new AppError(
      "DATA_UNUSABLE",
      `${label} does not allow this user to publish (${messageOf(cause)}). ` +
        `Give the user of REDIS_URL the channels "${keys.prefix}:*".`,
      { cause },
    );
  }
}

async function checkServer(redis: Redis, label: string): Promise<void> {
  const server = await redis.info("server");
  const version = /^(?:valkey_version|redis_version):(\S+)/m.exec(server)?.[1] ?? "0";
  if (Number.parseInt(version, 10) < OLDEST) {
    throw new AppError(
      "DATA_UNUSABLE",
      `${label} is of version ${version}; Jobwire needs Redis ${OLDEST} or newer, or Valkey.`,
    );
  }
  const memory = await redis.info("memory");
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? "noeviction";
  if (policy !== "noeviction") {
    throw new AppError(
      "DATA_UNUSABLE",
      `${label} deletes keys when its memory is full (maxmemory-policy is ${policy}), so it would lose jobs. ` +
        'Set maxmemory-policy to "noeviction".',
    );
  }
}

async function refuseUnfinished(redis: Client, label: string, keys: Keys): Promise<void> {
  if ((await redis.exists(keys.importing)) === 0) return;
  throw new AppError(
    "DATA_UNUSABLE",
    `${label} holds an incomplete import under the prefix "${keys.prefix}". ` +
      "Wait for `npm run migrate` to end; if it was interrupted, run it again.",
  );
}
