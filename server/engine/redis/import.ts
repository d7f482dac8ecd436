/**
 * Imports everything from another engine into an unused prefix. During the import the prefix is marked, and no server starts
 * on it. A repeated call starts an interrupted import over.
 */
import type { TransferBatch, TransferJob, TransferSource } from "#server/engine/transfer.ts";
import { AppError } from "#shared/errors.ts";
import { type JobStatus, summaryOf } from "#shared/job.ts";
import { hasApiKeys, putApiKey } from "./api-keys.ts";
import { putAuditEntry } from "./audit.ts";
import { type Client, mastersOf } from "./client.ts";
import { openClients } from "./connect.ts";
import { asAppError } from "./errors.ts";
import { alwaysThere, createKeys, type Keys, queueMember } from "./keys.ts";
import { hasRevocations, putRevocation } from "./revocations.ts";
import { createPermits } from "./permits.ts";
import { putPause } from "./pauses.ts";
import { hasSchedules, putSchedule } from "./schedules.ts";
import { openRing } from "./ring.ts";
import { createScripts } from "./scripts.ts";
import { hasShareLinks, putShareLink } from "./share-links.ts";
import { putSigningKey } from "./signing-keys.ts";
import { createSweep } from "./sweep.ts";
import { createTenantDirectory } from "./tenant-directory.ts";
import { splitQueues } from "./upgrade.ts";
import { encodeBatch, encodeEvent, encodeLine, encodePiece, encodeSummary } from "./records.ts";

export interface Imported {
  jobs: number;
  batches: number;
}

/** The number of commands in a pipeline. */
const PIPELINE_SIZE = 2000;

export async function importToRedis(
  source: TransferSource,
  options: { url: string; prefix: string },
): Promise<Imported> {
  const keys = createKeys(options.prefix);
  const clients = await openClients(options.url, keys, "import");
  const { commands: redis, label } = clients;
  try {
    await prepare(redis, keys, label);
    const imported = await copy(redis, keys, source);
    await splitQueues(redis, keys);
    await fillRing(redis, keys);
    await redis.del(keys.importing);
    return imported;
  } catch (cause) {
    throw asAppError(cause, label);
  } finally {
    clients.close();
  }
}

/** Tells the ring which tenants have work, for a worker that starts next. */
async function fillRing(redis: Client, keys: Keys): Promise<void> {
  const run = createScripts(redis);
  const tenants = createTenantDirectory(redis, run, keys);
  const nothingIsHeard = { onWork: () => Promise.resolve(() => undefined) };
  const permits = createPermits({ redis, run, keys });
  const ring = openRing({ run, keys, hints: nothingIsHeard, weights: new Map(), op: () => "" });
  await createSweep({ run, keys, tenants, ring, permits })();
  ring.close();
}

async function prepare(redis: Client, keys: Keys, label: string): Promise<void> {
  const unfinished = (await redis.exists(keys.importing)) === 1;
  const used =
    (await redis.exists(keys.tenants)) === 1 ||
    (await hasApiKeys(redis, keys)) ||
    (await hasRevocations(redis, keys)) ||
    (await hasSchedules(redis, keys)) ||
    (await hasShareLinks(redis, keys));
  if (!unfinished && used) {
    throw new AppError(
      "DATA_UNUSABLE",
      `${label} already has jobs, API keys, revocations, share links or schedules under the prefix "${keys.prefix}". Nothing was changed. Set REDIS_PREFIX to another name.`,
    );
  }
  await redis.set(keys.importing, Date.now());
  if (unfinished) await clear(redis, keys);
}

/** Deletes the data of an interrupted import. */
async function clear(redis: Client, keys: Keys): Promise<void> {
  const kept = new Set([keys.importing, keys.schema]);
  for (const pattern of [`${keys.prefix}:*`, ...keys.oldQueue]) {
    for (const each of mastersOf(redis)) {
      for await (const found of each.scanStream({ match: pattern, count: 1000 })) {
        const old = (found as string[]).filter((key) => !kept.has(key));
        await Promise.all(old.map((key) => redis.unlink(key)));
      }
    }
  }
}

async function copy(redis: Client, keys: Keys, source: TransferSource): Promise<Imported> {
  /** The newest position in lists, by tenant. */
  const newest = new Map<string, number>();
  const seen = (tenant: string, n: number) =>
    newest.set(tenant, Math.max(n, newest.get(tenant) ?? 0));
  let sent: Promise<unknown>[] = [];
  async function put(...commands: Promise<unknown>[]): Promise<void> {
    sent.push(...commands);
    if (sent.length >= PIPELINE_SIZE) await allPut();
  }
  async function allPut(): Promise<void> {
    await Promise.all(sent);
    sent = [];
  }

  for (const { tenant, rev } of source.tenants()) {
    seen(tenant, 0);
    await put(redis.sadd(keys.tenants, tenant), redis.set(`${keys.tenant(tenant)}:rev`, rev));
  }
  for (const owner of source.owners()) await put(redis.set(`${keys.owner(owner)}:rev`, owner.rev));
  let batches = 0;
  for (const each of source.batches()) {
    await put(...putBatch(redis, keys, each));
    seen(each.batch.tenant, each.n);
    batches += 1;
  }
  let jobs = 0;
  for (const each of source.jobs()) {
    await put(...putJob(redis, keys, each));
    seen(each.job.tenant, each.n);
    jobs += 1;
  }
  for (const each of source.apiKeys()) await put(...putApiKey(redis, keys, each));
  for (const each of source.revocations()) await put(...putRevocation(redis, keys, each));
  for (const each of source.signingKeys()) await put(...putSigningKey(redis, keys, each));
  for (const each of source.shareLinks()) await put(...putShareLink(redis, keys, each));
  for (const each of source.schedules()) await put(...putSchedule(redis, keys, each));
  const run = createScripts(redis);
  for (const each of source.pauses()) await putPause(run, keys, each);
  for (const each of source.audit()) {
    await put(...putAuditEntry(redis, keys, each));
    seen(each.tenant, each.n);
  }
  for (const [tenant, n] of newest) await put(redis.set(alwaysThere(keys.tenant(tenant)), n));
  await allPut();
  return { jobs, batches };
}

function putBatch(
  redis: Client,
  keys: Keys,
  { n, batch, idempotencyKey }: TransferBatch,
): Promise<unknown>[] {
  const { id, tenant, counts } = batch;
  const owner = keys.owner(batch);
  const fields: Record<string, string | number> = {
    b: encodeBatch(batch, batch.createdAt),
    v: batch.version,
    updated: batch.updatedAt.getTime(),
    key: idempotencyKey ?? "",
  };
  for (const status of Object.keys(counts) as JobStatus[]) fields[status] = counts[status];
  const put = [
    redis.hset(keys.batch(tenant, id), fields),
    redis.hset(keys.tenantOf(id), id, tenant),
    ...[owner, keys.tenant(tenant)].map((all) => redis.zadd(`${all}:batches`, n, id)),
  ];
  if (idempotencyKey !== null) put.push(redis.hset(`${owner}:batch-keys`, idempotencyKey, id));
  return put;
}

function putJob(redis: Client, keys: Keys, transfer: TransferJob): Promise<unknown>[] {
  const { n, job, idempotencyKey, rev, token, trace, key, events, draft, lines } = transfer;
  const { id, tenant, kind, status, batchId } = job;
  const prefix = keys.tenant(tenant);
  const owner = keys.owner(job);
  const payload = { i: JSON.stringify(job.input), o: JSON.stringify(job.output) };
  const bytes = Buffer.byteLength(payload.i) + Buffer.byteLength(payload.o);
  const fields: Record<string, string | number> = {
    n,
    s: encodeSummary(summaryOf(job)),
    ...payload,
    u: bytes,
    v: job.version,
    st: status,
    a: job.attempt,
    kind,
    op: "import",
    held: 0,
    token,
  };
  if (idempotencyKey !== null) fields.key = idempotencyKey;
  if (trace !== null) fields.tr = trace;
  if (job.priority > 0) fields.p = job.priority;
  const { expires, debounceKey } = transfer;
  if (expires !== null) fields.x = expires;
  const debounced = debounceKey === null ? "" : `${kind} ${debounceKey}`;
  if (debounced !== "") fields.db = debounced;
  if (key !== null) fields.k = key;
  const { scheduleId } = job;
  if (scheduleId !== null) fields.sc = scheduleId;
  const last = draft.at(-1);
  if (last) {
    fields["d.seq"] = last.seq;
    fields["d.attempt"] = last.attempt;
    fields["d.end"] = last.offset + last.text.length;
  }
  const newestLine = lines.at(-1);
  if (newestLine) fields["l.seq"] = newestLine.seq;
  const put: Promise<unknown>[] = [
    redis.hset(keys.job(tenant, id), fields),
    redis.incrby(keys.bytes(tenant), bytes),
    redis.hset(keys.tenantOf(id), id, tenant),
    ...[owner, prefix].flatMap((all) => [
      redis.zadd(`${all}:feed`, rev, id),
      redis.sadd(`${all}:kinds`, kind),
      redis.zadd(`${all}:jobs:${kind}:${status}`, n, id),
      ...(scheduleId === null
        ? []
        : [
            redis.sadd(`${all}:of:${scheduleId}:kinds`, kind),
            redis.zadd(`${all}:of:${scheduleId}:jobs:${kind}:${status}`, n, id),
          ]),
    ]),
  ];
  const lists = {
    log: events.map(encodeEvent),
    draft: draft.map(encodePiece),
    lines: lines.map(encodeLine),
  };
  for (const [name, texts] of Object.entries(lists)) {
    for (let at = 0; at < texts.length; at += PIPELINE_SIZE) {
      put.push(redis.rpush(`${prefix}:${name}:${id}`, ...texts.slice(at, at + PIPELINE_SIZE)));
    }
  }
  const place = placeOf(keys, transfer);
  if (place !== undefined) put.push(redis.zadd(place.set, place.score, place.member));
  if (job.finishedAt !== null) {
    put.push(redis.zadd(keys.finished(tenant, kind), job.finishedAt.getTime(), id));
  }
  if (expires !== null) {
    put.push(
      redis.zadd(`${prefix}:expiring`, expires, id),
      redis.zadd(alwaysThere(keys.expiring), 0, tenant),
    );
  }
  if (debounced !== "") put.push(redis.hset(`${owner}:debounced`, debounced, id));
  if (batchId !== null) put.push(redis.zadd(`${prefix}:jobs-of:${batchId}`, n, id));
  if (idempotencyKey !== null) put.push(redis.hset(`${owner}:job-keys`, idempotencyKey, id));
  return put;
}

/** Where in the queue the job waits, if it does. */
function placeOf(
  keys: Keys,
  { n, job: { id, tenant, status }, due, rank }: TransferJob,
): { set: string; score: number; member: string } | undefined {
  if (due === null) return undefined;
  // Its runner is gone.
  if (status === "PROCESSING") return { set: keys.leased(tenant), score: due, member: id };
  if (due > 0) return { set: keys.delayed(tenant), score: due, member: id };
  return { set: keys.wholeQueue(tenant), score: rank, member: queueMember(n, id) };
}
