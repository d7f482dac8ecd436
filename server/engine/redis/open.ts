/** The engine for several machines, on Redis. */
import { randomBytes } from "node:crypto";
import type { Engine } from "#server/engine/contract.ts";
import { notify } from "#server/engine/notify.ts";
import { createdBatch } from "#server/engine/created-batch.ts";
import { AppError } from "#shared/errors.ts";
import type { JobEvent } from "#shared/events.ts";
import { createdJob } from "#shared/lifecycle.ts";
import { MAX_AUDIT_ENTRIES } from "#shared/limits.ts";
import { createApiKeys } from "./api-keys.ts";
import { createAssign } from "./assign.ts";
import { createAudit, createAuditEncoder } from "./audit.ts";
import { createChange } from "./change.ts";
import { createClaims } from "./claims.ts";
import { openClients } from "./connect.ts";
import { createCreation } from "./create.ts";
import { REDIS } from "./declaration.ts";
import { createDrafts } from "./drafts.ts";
import { asAppError } from "./errors.ts";
import { createExpiry, startEndingExpired } from "./expiry.ts";
import { openRedisHints } from "./hints.ts";
import { createRenew } from "./leases.ts";
import { createLargeBatches } from "./large-batch.ts";
import { createLines } from "./lines.ts";
import { alwaysThere, createKeys } from "./keys.ts";
import { createMirrors } from "./mirrors.ts";
import { createNewest } from "./newest.ts";
import { createOperatorStores } from "./operator-stores.ts";
import { createPermits } from "./permits.ts";
import { createPresence } from "./presence.ts";
import { createPrune } from "./prune.ts";
import { createReads } from "./reads.ts";
import { createRevocations } from "./revocations.ts";
import { createSchedules } from "./schedules.ts";
import { openRing } from "./ring.ts";
import type { TenantWeights } from "#server/engine/turns.ts";
import { createScripts } from "./scripts.ts";
import { createSessions } from "./sessions.ts";
import { createShareLinks } from "./share-links.ts";
import { createSignIns } from "./sign-ins.ts";
import { createSigningKeys } from "./signing-keys.ts";
import { createStagedBatches } from "./staged-batches.ts";
import { createStarts } from "./starts.ts";
import { createSweep } from "./sweep.ts";
import { createTakes } from "./takes.ts";
import { createTenantDirectory } from "./tenant-directory.ts";
import { createTickets } from "./tickets.ts";
import { createUsers } from "./users.ts";
import { createWaiting } from "./waiting.ts";
import { createScriptBatcher } from "./script-batcher.ts";

export interface RedisOptions {
  /** `redis://`, or `rediss://` for TLS, with user, password and database number. */
  url: string;
  /** The prefix of all keys. Servers with different prefixes can share a Redis. */
  prefix?: string | undefined;
  /** The interval at which a process looks which tenants have work (`sweep.ts`). */
  checkEveryMs?: number | undefined;
  /** For tests. */
  maxAuditEntries?: number | undefined;
  /** Of tenants in the queue. Default: each has 1. */
  weights?: TenantWeights | undefined;
  /** Called after each script that stored changes, with the number of these. */
  onGroup?: ((size: number) => void) | undefined;
}

const CHECK_EVERY_MS = 5000;

export async function openRedisEngine(options: RedisOptions): Promise<Engine> {
  const { url, prefix = "jobwire", checkEveryMs = CHECK_EVERY_MS } = options;
  const encodeAudit = createAuditEncoder(options.maxAuditEntries ?? MAX_AUDIT_ENTRIES);
  const keys = createKeys(prefix);
  const clients = await openClients(url, keys);
  const { commands: redis } = clients;

  // Short, because every call carries it.
  const self = randomBytes(9).toString("base64url");
  let calls = 0;
  const op = () => `${self}.${++calls}`;

  const run = createScripts(redis);
  const tenants = createTenantDirectory(redis, run, keys);
  const newest = createNewest();
  const hints = openRedisHints(clients.nodes, keys, tenants);
  const { weights = new Map<string, number>() } = options;
  const ring = openRing({ run, keys, hints, weights, op });
  const permits = createPermits({ redis, run, keys });
  const parts = { redis, run, keys, tenants, newest, ring, permits, encodeAudit, op };
  const reads = createReads(parts);
  const runBatched = createScriptBatcher(run, "change", options.onGroup);
  const change = createChange({ ...parts, runBatched });
  const staged = createStagedBatches(parts);
  const storeLargeBatch = createLargeBatches({ ...parts, staged });
  const creation = createCreation({ ...parts, change, storeLargeBatch });
  const expired = new Set<(event: JobEvent) => void>();
  const onExpired = (event: JobEvent): void => notify(expired, event);
  const expiry = createExpiry({ ...parts, change, staged, onExpired });
  const drafts = createDrafts(parts);
  const lines = createLines(parts);
  const renew = createRenew(parts);
  const starts = createStarts({ ...parts, change, expiry });
  const claim = createClaims({ ...parts, takes: createTakes(parts), starts, renew });
  const waiting = createWaiting(parts);
  const presence = createPresence(run, keys);
  const sessions = createSessions(run, keys);
  const apiKeys = createApiKeys(redis, run, keys);
  const audit = createAudit(parts);
  const signIns = createSignIns(redis, keys);
  const revocations = createRevocations(run, keys);
  const signingKeys = createSigningKeys(redis, keys);
  const shareLinks = createShareLinks(run, keys);
  const tickets = createTickets(redis, run, keys);
  const schedules = createSchedules(redis, run, keys);
  const listUsers = createUsers({ redis, keys, apiKeys, revocations });
  const prune = createPrune(parts);
  const assign = createAssign({ ...parts, staged });
  const sweep = createSweep(parts);
  // A process without weights leaves those of others until it sweeps: it may be a gateway.
  if (weights.size > 0) await ring.writeWeights();

  const underWay = new Set<Promise<unknown>>();
  let sweepTimer: NodeJS.Timeout | undefined;
  let sweeping: Promise<void> | undefined;
  let open = true;

  async function use<T>(what: () => Promise<T>): Promise<T> {
    if (!open) throw new AppError("UNAVAILABLE", "Redis is closed: the server is stopping.");
    const call = what();
    underWay.add(call);
    try {
      return await call;
    } catch (cause) {
      // Clients receive this message, so it does not contain the address.
      throw asAppError(cause, "Redis");
    } finally {
      underWay.delete(call);
    }
  }

  /** Sweeps unless another process has just swept. */
  async function sweepInTurn(): Promise<void> {
    const mine = await redis.set(keys.swept, self, "PX", checkEveryMs, "NX");
    if (mine !== null) await sweep();
  }

  function sweepAgain(): void {
    // The next interval tries again.
    sweeping ??= use(sweepInTurn)
      .catch(() => undefined)
      .finally(() => (sweeping = undefined));
  }

  const expiries = startEndingExpired({
    everyMs: checkEveryMs,
    isTurn: async (ms) => (await redis.set(keys.expired, self, "PX", ms, "NX")) !== null,
    tenants: () => redis.zrange(alwaysThere(keys.expiring), "0", "-1"),
    endAll: expiry.endAll,
    use,
  });

  return {
    name: REDIS.name,
    capabilities: REDIS.capabilities,
    connector: { connect: clients.listening, prefix },

    createJob: (fresh, at, quota) =>
      use(async () => {
        const jobId = await creation.job(fresh, { at, quota });
        if (typeof jobId !== "string") return jobId;
        if (jobId !== fresh.id) return stored(await reads.job(jobId), jobId);
        return createdJob(fresh, at).job;
      }),
    createBatch: (batch, jobs, at, quota) =>
      use(async () => {
        const batchId = await creation.batch(batch, jobs, { at, quota });
        if (batchId !== batch.id) return stored(await reads.batch(batchId), batchId);
        return createdBatch(batch, jobs.length, at);
      }),
    usage: (tenant) => use(() => reads.usage(tenant)),
    getJob: (jobId) => use(() => reads.job(jobId)),
    getSummary: (jobId) => use(() => reads.summary(jobId)),
    waiting: (jobId, limits) => use(() => waiting(jobId, limits)),
    listJobs: (query) => use(() => reads.jobs(query)),
    getBatch: (batchId) => use(() => reads.batch(batchId)),
    listBatches: (query) => use(() => reads.batches(query)),
    change: (jobId, what, at, claim) => use(() => change.byId(jobId, what, at, claim)),
    readEvents: (jobId, after, limit) => use(() => reads.events(jobId, after, limit)),
    readFeed: (owner, after, limit) => use(() => reads.feed(owner, after, limit)),
    appendDraft: (claim, text, at) => use(() => drafts.append(claim, text, at)),
    readDraft: (jobId, after) => use(() => drafts.read(jobId, after)),
    appendLines: (claim, fresh) => use(() => lines.append(claim, fresh)),
    readLines: (jobId, after, limit) => use(() => lines.read(jobId, after, limit)),
    claim: (request) => use(() => claim(request)),
    renew: (held, leaseMs) => use(() => renew(held, leaseMs)),
    takeSession: (session, holder) => use(() => sessions.take(session, holder)),
    saveSession: (session, holder, saved) => use(() => sessions.save(session, holder, saved)),
    endSession: (session, holder) => use(() => sessions.end(session, holder)),
    apiKeys: {
      create: (key, hash) => use(() => apiKeys.create(key, hash)),
      find: (hash) => use(() => apiKeys.find(hash)),
      list: (query) => use(() => apiKeys.list(query)),
      revoke: (id, at) => use(() => apiKeys.revoke(id, at)),
      noteUse: (id, at) => use(() => apiKeys.noteUse(id, at)),
    },
    revocations: {
      revokeToken: (token, at) => use(() => revocations.revokeToken(token, at)),
      revokeUser: (user, at) =>
        use(async () => {
          const ended = await revocations.revokeUser(user, at);
          const owner = { tenant: user.tenant, owner: user.user };
          return { apiKeys: ended, signIns: await signIns.removeOfUser(owner) };
        }),
      find: (questions) => use(() => revocations.find(questions)),
    },
    signingKeys: {
      agree: (key, at) => use(() => signingKeys.agree(key, at)),
      find: (id) => use(() => signingKeys.find(id)),
    },
    shareLinks: {
      add: (stored, at) => use(() => shareLinks.add(stored, at)),
      find: (refs, at) => use(() => shareLinks.find(refs, at)),
      list: (of, at) => use(() => shareLinks.list(of, at)),
      remove: (of, at) => use(() => shareLinks.remove(of, at)),
    },
    tickets: {
      take: (ticket, at) => use(() => tickets.take(ticket, at)),
      holders: (refs) => use(() => tickets.holders(refs)),
    },
    listUsers: (query, now) => use(() => listUsers(query, now)),
    audit: {
      append: (tenant, entry) => use(() => audit.append(tenant, entry)),
      list: (query) => use(() => audit.list(query)),
      prune: (before, limit) => use(() => audit.prune(before, limit)),
    },
    mirrors: createMirrors({ ...parts, use }),
    presence: {
      keep: (call) => use(() => presence.keep(call)),
      read: (tenant, topic, limit) => use(() => presence.read(tenant, topic, limit)),
    },
    schedules: {
      create: (schedule) => use(() => schedules.create(schedule)),
      replace: (schedule, changed) => use(() => schedules.replace(schedule, changed)),
      assign: (schedule) => use(() => schedules.assign(schedule)),
      remove: (id, version) => use(() => schedules.remove(id, version)),
      get: (id) => use(() => schedules.get(id)),
      find: (owner, key) => use(() => schedules.find(owner, key)),
      list: (query) => use(() => schedules.list(query)),
      take: (request) => use(() => schedules.take(request)),
      release: (id, version, delayMs, now) =>
        use(() => schedules.release(id, version, delayMs, now)),
      time: (now) => use(() => schedules.time(now)),
    },
    ...createOperatorStores({ ...parts, hints, use }),
    addSignIn: (signIn) => use(() => signIns.add(signIn)),
    getSignIn: (id, now) => use(() => signIns.get(id, now)),
    hasSignIns: (ids) => use(() => signIns.has(ids)),
    renewSignIn: (signIn) => use(() => signIns.renew(signIn)),
    removeSignIn: (signIn) => use(() => signIns.remove(signIn)),
    prune: (...args) => use(() => prune(...args)),
    assign: (from, to, limit) => use(() => assign(from, to, limit)),

    onAppend: (stream, listener) => use(() => hints.on(stream, listener)),
    onCredentialEnd: (listener) => use(() => hints.onCredential(listener)),
    onWork(listener) {
      if (sweepTimer === undefined) {
        sweepTimer = setInterval(sweepAgain, checkEveryMs).unref();
        sweepAgain();
      }
      return ring.onWork(listener);
    },

    onExpired(listener) {
      const registered = (event: JobEvent): void => listener(event);
      expired.add(registered);
      return () => void expired.delete(registered);
    },

    isAvailable: () => open && redis.status === "ready",
    health: () => use(async () => void (await redis.set(keys.alive, Date.now()))),
    async close() {
      if (!open) return;
      open = false;
      clearInterval(sweepTimer);
      expiries.stop();
      ring.close();
      hints.close();
      await Promise.allSettled(underWay);
      clients.close();
    },
  };
}

/** Returns the record that an earlier call with the same idempotency key created. */
function stored<T>(record: T | undefined, id: string): T {
  if (record !== undefined) return record;
  throw new AppError("UNAVAILABLE", `${id} is being deleted. Try again.`);
}
