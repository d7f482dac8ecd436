/** Clients of one Redis, or of all nodes of a Redis Cluster: which of them is behind an address, that one says. */
import { Cluster, type ClusterOptions, type Command, Redis, type RedisOptions } from "ioredis";
import { AppError } from "#shared/errors.ts";

export type Client = Redis | Cluster;

/** Without one that its own types disagree about. */
export type ClientOptions = Omit<RedisOptions, "replyMapping">;

const CONNECT_TIMEOUT_MS = 2000;
/** A command that has no answer after this long is given up. */
const COMMAND_TIMEOUT_MS = 5000;
/** Attempts to connect again, a command's patience: with the pauses between, some four seconds. A restart takes less. */
const RETRIES = 12;
/** BullMQ waits for ten seconds with one command. */
const SILENCE_MS = 15_000;

/** Of commands that somebody waits for. */
export const BOUNDED: ClientOptions = {
  commandTimeout: COMMAND_TIMEOUT_MS,
  socketTimeout: COMMAND_TIMEOUT_MS,
  maxRetriesPerRequest: RETRIES,
};
/** Of those that wait for Redis as long as it takes. */
export const PATIENCE: ClientOptions = { maxRetriesPerRequest: null, socketTimeout: SILENCE_MS };
/**
 * A cluster is asked again after this long where a node is away, or a slot is nobody's or moves; ioredis does that 16
 * times, which takes four seconds.
 */
const CLUSTER_RETRY_MS = 250;

/** So often a connection that only listens asks whether anybody is there. */
const ASK_EVERY_MS = 5000;

function pause(attempts: number): number {
  return Math.min(50 * attempts, 500);
}

const COMMON: ClientOptions = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  // What a failover leaves behind: connections to a master that takes no writes any more.
  reconnectOnError: (error) => (error.message.startsWith("READONLY") ? 1 : false),
};

type BoundedOptions = Omit<ClusterOptions, "redisOptions"> & { redisOptions: ClientOptions };

/**
 * Bounds the time that a command waits for a node too; ioredis bounds only that of its answer, keeps those that wait as
 * long as the cluster is away, and sends then also those that were given up.
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
    // It asks itself whether it is ready.
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

/** Each command that fails says so to its caller; nobody else hears of it. */
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
 * Where the other side vanishes without a word a connection is left when a command has no answer for `socketTimeout`.
 * So also one that only listens must ask.
 */
function keepAsking(redis: Redis): Redis {
  const timer = setInterval(() => {
    if (redis.status === "ready") redis.ping().catch(() => undefined);
  }, ASK_EVERY_MS).unref();
  redis.once("end", () => clearInterval(timer));
  return redis;
}

/** Whether it is a node of a cluster. */
export async function isClustered(redis: Redis): Promise<boolean> {
  return /^cluster_enabled:1/m.test(await redis.info("cluster"));
}

/** Waits for Redis as long as it takes. A connection that only listens notices too when the other side vanishes. */
export function openListening(url: string, clustered: boolean): Client {
  return clustered ? openCluster(url, PATIENCE) : keepAsking(openSingle(url, PATIENCE));
}

/** Where sharded channels are, and connections to there that are not mended when they break. */
export interface Nodes {
  /** The address of the node that has the channel's slot now, as a URL. */
  addressOf(channel: string): Promise<string>;
  open(address: string): Redis;
}

/** From a slot to another one, inclusive, and who has them: the master first. */
type Slots = [from: number, to: number, ...nodes: [host: string, port: number, ...unknown[]][]][];

/** `commands` knows the cluster. */
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
      if (master === undefined) throw new AppError("UNAVAILABLE", `Slot ${slot} is nobody's.`);
      const [host, port] = master;
      const address = new URL(url);
      // A node that does not know its own name has the one under which it is asked.
      if (host) address.hostname = host.includes(":") ? `[${host}]` : host;
      address.port = `${port}`;
      return address.href;
    },
    open: (address) => keepAsking(openSingle(address, { ...BOUNDED, retryStrategy: () => null })),
  };
}

/** Those that take writes. */
export function mastersOf(client: Client): Redis[] {
  return client instanceof Cluster ? client.nodes("master") : [client];
}
