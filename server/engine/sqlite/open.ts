/** The embedded engine: Node's own SQLite, one process, nothing to install. */
import type { Engine } from "#server/engine/contract.ts";
import type { Clock } from "#shared/clock.ts";
import { AppError } from "#shared/errors.ts";
import { createAssign } from "./assign.ts";
import { createAudit } from "./audit.ts";
import { createBackups } from "./backup.ts";
import { createBatches } from "./batches.ts";
import { createChange } from "./change.ts";
import { createCreation } from "./create.ts";
import { createCredentialStores } from "./credential-stores.ts";
import { databasePath, openDatabase } from "./database.ts";
import { SQLITE } from "./declaration.ts";
import { createDebounce } from "./debounce.ts";
import { createDrafts } from "./drafts.ts";
import { asAppError } from "./errors.ts";
import { createExpiry, createNextExpiry, openExpiryTimer } from "./expiry.ts";
import { createGroupCommit } from "./group-commit.ts";
import { createHidden } from "./hidden.ts";
import { createHints } from "./hints.ts";
import { createJobs } from "./jobs.ts";
import { createLargeBatches, STEP } from "./large-batch.ts";
import { finishStaged } from "./staged-batches.ts";
import { createLines } from "./lines.ts";
import { createLog } from "./log.ts";
import { createMirrors } from "./mirrors.ts";
import { createNewRows } from "./new-rows.ts";
import { createOperatorStores } from "./operator-stores.ts";
import { createOutbox } from "./outbox.ts";
import { createOwners } from "./owners.ts";
import { isOfAll } from "#shared/pause.ts";
import { createPauses, readPauses } from "./pauses.ts";
import { createPresence } from "./presence.ts";
import { createPrune } from "./prune.ts";
import { createNextDue, createQueue, makeReady } from "./queue.ts";
import { scheduleStoreOf } from "./schedule-store.ts";
import { createSchedules, freeSchedules } from "./schedules.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { createSessions, makeSessionsReady } from "./sessions.ts";
import { createSteadyClock } from "#server/engine/steady-clock.ts";
import { createStorage } from "./storage.ts";
import type { TenantWeights } from "#server/engine/turns.ts";
import { createTurns } from "./turns.ts";
import { createUsage } from "./usage.ts";
import { createUsers } from "./users.ts";
import { createWaiting } from "./waiting.ts";
import { openWorkSignal } from "./work-signal.ts";
import { createWriteBehind } from "./write-behind.ts";

export interface SqliteOptions {
  /** Created if it does not exist. */
  dataDir: string;
  /** The clock of delays, leases and announcements of workers. */
  clock?: (() => number) | undefined;
  /** The timer of that clock. */
  after?: Clock["after"] | undefined;
  /** Of tenants in the queue. Default: each has 1. */
  weights?: TenantWeights | undefined;
  /** See `OpenOptions`. */
  elsewhere?: ReadonlySet<string> | undefined;
  /** Called after each commit of a group, with the number of its writes. */
  onGroup?: ((size: number) => void) | undefined;
  /** For tests. */
  maxAuditEntries?: number | undefined;
}

/** A pruned job takes its log, draft, log lines and payload with it. */
const ROWS_OF_PRUNED_JOB = 20;

export async function openSqliteEngine({
  dataDir,
  clock = createSteadyClock(),
  after,
  weights = new Map(),
  elsewhere,
  onGroup,
  maxAuditEntries,
}: SqliteOptions): Promise<Engine> {
  const path = databasePath(dataDir);
  const db = openDatabase(dataDir);
  const turns = createTurns(db, weights);
  const owners = createOwners(db);
  const usage = createUsage(db);
  finishStaged(db, { owners, usage }, clock());
  for (const pause of readPauses(db)) if (!isOfAll(pause)) turns.pause(pause);
  makeReady(db, turns, clock(), elsewhere);
  makeSessionsReady(db, clock());
  freeSchedules(db);

  const hidden = createHidden();
  const batches = createBatches(db, owners, hidden);
  const behind = createWriteBehind(db, owners, batches, usage);
  const group = createGroupCommit({ db, path, unwritten: behind, remembered: turns, onGroup });
  const hints = createHints();
  const work = openWorkSignal(createNextDue(db, turns), clock, after);
  const timer = openExpiryTimer({
    next: createNextExpiry(db),
    end: () => write(() => expiry.end()),
    clock,
    after,
  });
  const outbox = createOutbox({
    group,
    hints,
    work,
    expiry: timer,
    clock,
  });
  const jobs = createJobs(db, owners, hidden);
  const log = createLog(db);
  const audit = createAudit(db, maxAuditEntries);
  const rows = createNewRows({ db, log, clock });
  const parts = {
    db,
    group,
    rows,
    hidden,
    owners,
    jobs,
    batches,
    log,
    audit,
    outbox,
    usage,
    behind,
    turns,
    clock,
  };
  const change = createChange(parts);
  const expiry = createExpiry({ ...parts, change });
  const takeDebounced = createDebounce({ ...parts, change, expiry });
  const creation = createCreation({ ...parts, takeDebounced });
  const large = createLargeBatches({
    ...parts,
    write: writeAtOnce,
    isOpen: () => open,
  });
  const drafts = createDrafts(db, jobs, outbox);
  const lines = createLines(db, jobs, outbox);
  const pauses = createPauses(parts);
  const queue = createQueue({ ...parts, change, expiry, pauses });
  const waiting = createWaiting(parts);
  const prune = createPrune(db, owners, usage);
  const assign = createAssign(parts);
  const presence = createPresence(hints, clock);
  const sessions = createSessions(db, clock);
  const operators = createOperatorStores({ clock, pauses, read, write });
  const credentials = createCredentialStores({ db, outbox, read, write });
  const backups = createBackups(db);
  const listUsers = createUsers(db);
  const storage = createStorage(db, path);
  const schedules = createSchedules(db);
  const alive = db.prepare("SELECT max(n) FROM jobs");
  const touch = db.prepare(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  let open = true;
  timer.rearm();

  function assertOpen(): void {
    if (!open) throw new AppError("UNAVAILABLE", "The data are closed: the server is stopping.");
  }

  async function read<T>(query: () => T): Promise<T> {
    assertOpen();
    try {
      return query();
    } catch (cause) {
      throw asAppError(cause, path);
    }
  }

  function writeAtOnce<T>(op: () => T, weight?: number): Promise<T> {
    return group.write(() => {
      behind.flush();
      return op();
    }, weight);
  }

  async function write<T>(op: () => T, weight?: number): Promise<T> {
    assertOpen();
    return writeAtOnce(op, weight);
  }

  return {
    name: SQLITE.name,
    capabilities: SQLITE.capabilities,

    createJob: (fresh, at, quota) => write(() => creation.createJob(fresh, at, quota)),
    async createBatch(batch, fresh, at, quota) {
      assertOpen();
      if (fresh.length > STEP) return large.create(batch, fresh, at, quota);
      const before = large.settled(batch);
      if (before !== undefined) await before;
      return writeAtOnce(() => creation.createBatch(batch, fresh, at, quota), fresh.length);
    },
    usage: (tenant) => read(() => usage.of(tenant)),
    getJob: (jobId) => read(() => jobs.get(jobId)),
    getSummary: (jobId) => read(() => jobs.getSummary(jobId)),
    waiting: (jobId, limits) => read(() => waiting(jobId, limits)),
    listJobs: (query) => read(() => jobs.list(query)),
    getBatch: (batchId) => read(() => batches.get(batchId)),
    listBatches: (query) => read(() => batches.list(query)),
    async change(jobId, what, at, claim) {
      assertOpen();
      return group.write(() => change.byId(jobId, what, at, claim));
    },
    readEvents: (jobId, after, limit) => read(() => log.read(jobId, after, limit)),
    readFeed: (owner, after, limit) => read(() => jobs.feed(owner, after, limit)),
    appendDraft: (claim, text, at) => write(() => drafts.append(claim, text, at)),
    readDraft: (jobId, after) => read(() => drafts.read(jobId, after)),
    appendLines: (claim, fresh) => write(() => lines.append(claim, fresh), fresh.length),
    readLines: (jobId, after, limit) => read(() => lines.read(jobId, after, limit)),
    async claim(request) {
      // A claim on an empty queue must not count as a write that succeeded.
      if (!(await read(() => queue.isDue(request)))) {
        // A job that waits for a rate has its time since this claim.
        work.rearm();
        return [];
      }
      return write(() => queue.claim(request), request.max);
    },
    renew: (claims, leaseMs) => write(() => queue.renew(claims, leaseMs), claims.length),
    async takeSession(session, holder) {
      // After an outage many clients ask for expired sessions: answered by a read, even while writes fail.
      if (!(await read(() => sessions.has(session)))) return undefined;
      return write(() => sessions.take(session, holder));
    },
    saveSession: (session, holder, saved) =>
      write(() => sessions.save(session, holder, saved), saved.entries.size + 1),
    endSession: (session, holder) => write(() => sessions.end(session, holder)),
    ...credentials,
    ...operators,
    listUsers: (query, now) => read(() => listUsers(query, now)),
    audit: {
      append: (tenant, entry) => write(() => audit.append(tenant, entry)),
      list: (query) => read(() => audit.list(query)),
      prune: (before, limit) => write(() => audit.prune(before, limit), limit),
    },
    mirrors: createMirrors({ db, clock, lines, read, write }),
    presence: {
      keep: (call) => read(() => presence.keep(call)),
      read: (tenant, topic, limit) => read(() => presence.read(tenant, topic, limit)),
    },
    schedules: scheduleStoreOf(schedules, { read, write, assertOpen }),
    prune: (...args) => write(() => prune(...args), args[1] * ROWS_OF_PRUNED_JOB),
    backup: (path, signal) => backups.make(path, signal),
    async storage() {
      assertOpen();
      return storage();
    },
    async assign(from, to, limit) {
      assertOpen();
      const before = large.settled();
      if (before !== undefined) await before;
      return writeAtOnce(() => assign(from, to, limit), 2 * limit);
    },

    async onAppend(stream, listener) {
      assertOpen();
      return hints.on(stream, listener);
    },
    onWork: (listener) => work.on(listener),
    onExpired: (listener) => timer.on(listener),
    async onCredentialEnd(listener) {
      assertOpen();
      return hints.onCredential(listener);
    },

    isAvailable: () => open && group.failure() === null,
    async health() {
      await read(() => alive.get());
      // A client may wait for health before it sends work, so health must not depend on the next write: it tries one.
      if (group.failure()) await write(() => touch.run());
    },
    async close() {
      if (!open) return;
      open = false;
      await large.settled();
      group.flush();
      work.close();
      timer.close();
      await backups.close();
      db.close();
    },
  };
}
