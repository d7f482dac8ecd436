/** Clients of one Redis, or of a Redis Cluster. The server at the address decides between them. */
import { Cluster, type ClusterOptions, type Command, Redis, type RedisOptions } from "ioredis";
import { AppError } from "#shared/errors.ts";

export type Client = Redis | Cluster;

/** Without `replyMapping`, about which ioredis' own types disagree. */
export type ClientOptions = Omit<RedisOptions, "replyMapping">;

const CONNECT_TIMEOUT_MS = 2000;
/** A command fails without an answer after this time. */
const COMMAND_TIMEOUT_MS = 5000;
/** Reconnect attempts before a command fails: about four seconds with their pauses. A restart takes less. */
const RETRIES = 12;
/** Of a client that only listens: three of its pings. */
const SILENCE_MS = 15_000;

/** For commands with a waiting caller: they fail within seconds. */
export const BOUNDED: ClientOptions = {
  commandTimeout: COMMAND_TIMEOUT_MS,
  socketTimeout: COMMAND_TIMEOUT_MS,
  maxRetriesPerRequest: RETRIES,
};
/** For commands that wait for Redis without a limit. */
export const PATIENCE: ClientOptions = { maxRetriesPerRequest: null, socketTimeout: SILENCE_MS };
/**
 * Pause before a retry if a node of the cluster is down, or a slot moves or has no node. ioredis tries 16 times, which takes
 * four seconds.
 */
const CLUSTER_RETRY_MS = 250;

/** Ping interval of a client that only listens. */
const ASK_EVERY_MS = 5000;

function pause(attempts: number): number {
  return Math.min(50 * attempts, 500);
}

const COMMON: ClientOptions = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  // After a failover, the old master answers READONLY: reconnect, which resolves the new master.
  reconnectOnError: (error) => (error.message.startsWith("READONLY") ? 1 : false),
};

type BoundedOptions = Omit<ClusterOptions, "redisOptions"> & { redisOptions: ClientOptions };

/**
 * Bounds the time that a command waits for a node. ioredis bounds only the time from sending to the answer: it keeps
 * commands while the cluster is down, and then sends even those that have already timed out.
 */
class BoundedCluster extends Cluster {
  readonly #waiting = new Map<Command, () => void>();

  constructor(nodes: string[], options: BoundedOptions) {
    super(nodes, options);
    this.on("ready", () => this.#waiting.forEach((send) => send()));
    this.on("end", () => {
      for (const command of this.#waiting.keys())
        command.reject(new Error("Connection is closed."));
    });
  }

  override sendCommand(...[command, ...where]: Parameters<Cluster["sendCommand"]>): unknown {
    const { commandTimeout } = this.options.redisOptions ?? {};
    if (commandTimeout === undefined) return super.sendCommand(command, ...where);
    command.setTimeout(commandTimeout);
    // ioredis itself sends these to check that the cluster is ready.
    const isOwn = command.name === "cluster";
    if (isOwn || this.status === "ready" || this.status === "end") {
      return super.sendCommand(command, ...where);
    }
    const forget = () => this.#waiting.delete(command);
    this.#waiting.set(command, () => {
      forget();
      super.sendCommand(command, ...where);
    });
    command.promise.then(forget, forget);
    return command.promise;
  }
}

export function openClient(url: string, clustered: false, options: ClientOptions): Redis;
export function openClient(url: string, clustered: boolean, options: ClientOptions): Client;
export function openClient(url: string, clustered: boolean, options: ClientOptions): Client {
  return clustered ? openCluster(url, options) : openSingle(url, options);
}

function openSingle(url: string, options: ClientOptions): Redis {
  return quiet(new Redis(url, { ...COMMON, retryStrategy: pause, ...options }));
}

/** A failed command rejects for its caller. Without a listener, the `error` event would end the process. */
function quiet<C extends Client>(client: C): C {
  client.on("error", () => undefined);
  return client;
}

function openCluster(url: string, options: ClientOptions): Cluster {
  const { protocol, username, password } = new URL(url);
  const cluster = new BoundedCluster([url], {
    redisOptions: {
      ...COMMON,
      ...options,
      ...(username !== "" && { username: decodeURIComponent(username) }),
      ...(password !== "" && { password: decodeURIComponent(password) }),
      ...(protocol === "rediss:" && { tls: {} }),
    },
    clusterRetryStrategy: pause,
    retryDelayOnFailover: CLUSTER_RETRY_MS,
    retryDelayOnClusterDown: CLUSTER_RETRY_MS,
    retryDelayOnTryAgain: CLUSTER_RETRY_MS,
  });
  return quiet(cluster);
}

/**
 * `socketTimeout` detects a vanished peer only while a command waits for its answer. So a client that only listens must
 * ping.
 */
function keepAsking(redis: Redis): Redis {
  const timer = setInterval(() => {
    if (redis.status === "ready") redis.ping().catch(() => undefined);
  }, ASK_EVERY_MS).unref();
  redis.once("end", () => clearInterval(timer));
  return redis;
}

/** True if `redis` is a node of a cluster. */
export async function isClustered(redis: Redis): Promise<boolean> {
  return /^cluster_enabled:1/m.test(await redis.info("cluster"));
}

/** Opens a listening client, which waits for Redis without a limit and detects a vanished peer. */
export function openListening(url: string, clustered: boolean): Client {
  return clustered ? openCluster(url, PATIENCE) : keepAsking(openSingle(url, PATIENCE));
}

/** Finds the node of a sharded channel, and opens clients of it that do not reconnect. */
export interface Nodes {
  /** Returns the URL of the node that currently has the channel's slot. */
  addressOf(channel: string): Promise<string>;
  open(address: string): Redis;
}

/** The answer of `CLUSTER SLOTS`: a range of slots, inclusive, and its nodes, the master first. */
type Slots = [from: number, to: number, ...nodes: [host: string, port: number, ...unknown[]][]][];

/** `commands` is the client that reads the cluster's slots. */
export function nodesOf(url: string, commands: Client): Nodes {
  let asked: Promise<Slots> | undefined;
  return {
    async addressOf(channel) {
      if (!(commands instanceof Cluster)) return url;
      asked ??= commands.cluster("SLOTS").finally(() => {
        asked = undefined;
      });
      const [slot, slots] = await Promise.all([commands.cluster("KEYSLOT", channel), asked]);
      const [, , master] = slots.find(([from, to]) => from <= slot && slot <= to) ?? [];
      if (master === undefined) throw new AppError("UNAVAILABLE", `Slot ${slot} has no node.`);
      const [host, port] = master;
      const address = new URL(url);
      // A node that does not know its own host answers with an empty one: keep the URL's host.
      if (host) address.hostname = host.includes(":") ? `[${host}]` : host;
      address.port = `${port}`;
      return address.href;
    },
    open: (address) => keepAsking(openSingle(address, { ...BOUNDED, retryStrategy: () => null })),
  };
}

/** Returns the nodes that accept writes. */
export function mastersOf(client: Client): Redis[] {
  return client instanceof Cluster ? client.nodes("master") : [client];
}
