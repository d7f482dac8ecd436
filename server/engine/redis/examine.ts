/** Examines a Redis, or each master of a cluster, as `start` would use it. */
import { Cluster, type Redis } from "ioredis";
import type { ExaminationOptions } from "#server/engine/examination.ts";
import { asError, messageOf } from "#shared/errors.ts";
import { fail, type Finding, ok, skip, warn } from "#shared/finding.ts";
import { pluralize } from "#shared/pluralize.ts";
import { type Client, type ClientOptions, isClustered, mastersOf, openClient } from "./client.ts";
import { OLDEST, SCHEMA_VERSION } from "./connect.ts";
import { labelOf, neverReached } from "./errors.ts";
import { clockOf, latencyOf } from "./examine-time.ts";
import { permitsOf } from "./examine-permits.ts";
import { memoryOf, persistenceOf, roleOf, versionOf } from "./examine-server.ts";
import { createKeys, type Keys } from "./keys.ts";

/** One attempt: a start waits longer for a Redis that is also starting. */
const ONCE: ClientOptions = {
  connectTimeout: 3000,
  commandTimeout: 3000,
  socketTimeout: 3000,
  maxRetriesPerRequest: 0,
  retryStrategy: () => null,
};
/** Attempts of a client of a cluster have pauses of their own. */
const CLUSTER_PATIENCE_MS = 6000;
/** Of every cluster. */
const SLOTS = 16_384;

export async function examineRedis(
  { url, prefix }: { url: string; prefix: string },
  { now }: Pick<ExaminationOptions, "now">,
): Promise<Finding[]> {
  const label = labelOf(url);
  const single = openClient(url, false, ONCE);
  let reason: unknown;
  single.on("error", (error: unknown) => (reason = error));
  let cluster: Client | undefined;
  try {
    await single.ping();
    if (!(await isClustered(single))) {
      const reached = ok("redis", `${label} answers: a single Redis`);
      return [reached, ...(await examineNode(single, now)), ...(await examineData(single, prefix))];
    }
    const state = await single.cluster("INFO");
    if (!/^cluster_state:ok/m.test(state)) return [clusterDown(label)];
    const served = Number(/^cluster_slots_ok:(\d+)/m.exec(state)?.[1] ?? SLOTS);
    if (served < SLOTS) return [slotsMissing(label, SLOTS - served)];
    cluster = openClient(url, true, ONCE);
    await readyWithin(cluster, CLUSTER_PATIENCE_MS);
    const masters = mastersOf(cluster);
    const reached = ok(
      "redis",
      `${label} answers: a cluster with ${pluralize(masters.length, "master")}`,
    );
    const nodes = await Promise.all(
      masters.map(async (node) => {
        const { host, port } = node.options;
        const findings = await examineNode(node, now);
        return findings.map((each) => ({ ...each, check: `${each.check} ${host}:${port}` }));
      }),
    );
    return [reached, ...nodes.flat(), ...(await examineData(cluster, prefix))];
  } catch (error) {
    return [unreachable(neverReached(reason ?? error, label).message)];
  } finally {
    for (const client of [single, cluster]) {
      if (client !== undefined && client.status !== "end") client.disconnect();
    }
  }
}

function unreachable(message: string): Finding {
  return fail("redis", message, [
    "Check the address, the user, the password and the certificate in REDIS_URL, whether it speaks TLS (rediss://), the firewall, and of a cluster cluster-announce-ip.",
    "docs/troubleshooting.md#redis-cannot-be-reached",
  ]);
}

/** A cluster without `cluster-require-full-coverage` says that it is well. */
function slotsMissing(label: string, missing: number): Finding {
  const found = `${label} belongs to a cluster in which ${pluralize(missing, "slot")} of ${SLOTS} have no master: some tenants have no data`;
  return fail("redis", found, [
    "Find them: redis-cli --cluster check HOST:PORT, and give them a master: redis-cli --cluster fix HOST:PORT",
    "docs/troubleshooting.md#redis-cannot-be-reached",
  ]);
}

function clusterDown(label: string): Finding {
  return fail("redis", `${label} belongs to a cluster that is down (cluster_state is not ok)`, [
    "Find the slots without a master: redis-cli --cluster check HOST:PORT",
    "docs/troubleshooting.md#redis-cannot-be-reached",
  ]);
}

/** `ready` may never come: the addresses that the nodes announce may be out of reach from here. */
async function readyWithin(client: Client, ms: number): Promise<void> {
  if (!(client instanceof Cluster) || client.status === "ready") return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = new Error("the nodes that the cluster announces do not answer");
  const timer = setTimeout(() => reject(late), ms);
  client.once("ready", () => resolve());
  client.once("end", () => reject(late));
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** Each of them is for itself: one that is forbidden or late does not keep the others from an answer. */
async function examineNode(redis: Redis, now: () => Date): Promise<Finding[]> {
  const parts = await Promise.all([
    each("redis version", async () => versionOf(await redis.info("server"), OLDEST)),
    each("redis role", async () => roleOf(await redis.info("replication"))),
    each("redis persistence", async () =>
      persistenceOf(await redis.info("persistence"), await appendFsyncOf(redis)),
    ),
    each("redis memory", async () => memoryOf(await redis.info("memory"))),
  ]);
  const times = [
    await each("redis latency", () => latencyOf(redis)),
    await each("redis clock", () => clockOf(redis, now)),
  ];
  return [...parts, ...times].flat();
}

/** `undefined`: managed services often forbid `CONFIG`. */
async function appendFsyncOf(redis: Redis): Promise<string | undefined> {
  try {
    const [, value] = await redis.config("GET", "appendfsync");
    return value;
  } catch {
    return undefined;
  }
}

async function examineData(client: Client, prefix: string): Promise<Finding[]> {
  const keys = createKeys(prefix);
  const parts = await Promise.all([
    each("redis data", () => dataOf(client, keys)),
    each("redis channels", () => channelsOf(client, keys)),
    each("redis permits", () => permitsOf(client, keys)),
  ]);
  return parts.flat();
}

async function dataOf(client: Client, keys: Keys): Promise<Finding> {
  const name = "redis data";
  const [stored, importing] = await Promise.all([
    client.get(keys.schema),
    client.exists(keys.importing),
  ]);
  if (importing > 0) {
    return fail(name, `an import under the prefix "${keys.prefix}" has not ended`, [
      "Wait for `npm run migrate` to end; if it was interrupted, run it again.",
      "docs/scaling.md#from-one-machine-to-many",
    ]);
  }
  const found = Number(stored ?? 0);
  if (found === 0) return ok(name, `none under the prefix "${keys.prefix}" yet`);
  if (found > SCHEMA_VERSION) {
    return fail(
      name,
      `of a newer version of Jobwire (${found}, this program knows ${SCHEMA_VERSION})`,
      [
        "Start the newer version, or set REDIS_PREFIX to another name.",
        "docs/operations.md#upgrade",
      ],
    );
  }
  if (found < SCHEMA_VERSION) {
    return warn(name, `of version ${found}; the next start upgrades them to ${SCHEMA_VERSION}`, [
      "Stop all processes of the old version before the first new one starts.",
      "docs/scaling.md#rolling-deploys",
    ]);
  }
  return ok(name, `of version ${found}, that of this program`);
}

/** Publishes a hint that tells of nothing, as a start does. */
async function channelsOf(client: Client, keys: Keys): Promise<Finding> {
  const name = "redis channels";
  try {
    await client.spublish(`${keys.directory}:hint`, "");
    return ok(name, "this user may publish");
  } catch (error) {
    if (!messageOf(error).startsWith("NOPERM")) throw error;
    return fail(name, `this user may not publish (${messageOf(error)})`, [
      `Give the user of REDIS_URL the channels "${keys.prefix}:*".`,
      "docs/troubleshooting.md#redis-cannot-be-reached",
    ]);
  }
}

async function each(
  name: string,
  examine: () => Finding | Finding[] | Promise<Finding | Finding[]>,
): Promise<Finding[]> {
  try {
    return [await examine()].flat();
  } catch (error) {
    return [skip(name, `could not be read (${asError(error).message})`)];
  }
}
