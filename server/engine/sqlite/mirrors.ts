/** Mirrors of outside queues. Leases are in memory: a start ends them, as it ends those of jobs. */
import type { DatabaseSync } from "node:sqlite";
import type { MirrorRef, MirrorStore } from "#server/engine/mirror-store.ts";
import type { Lines } from "./lines.ts";

/** Migration. */
export const MIRROR_TABLES = `
  CREATE TABLE mirrors (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Of the newest event of the outside queue that was stored.
    position TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
  ) STRICT, WITHOUT ROWID;
  -- Which job stands for which of the outside queue.
  CREATE TABLE mirrored_jobs (
    tenant TEXT NOT NULL,
    mirror TEXT NOT NULL,
    outside_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    PRIMARY KEY (tenant, mirror, outside_id)
  ) STRICT, WITHOUT ROWID;
`;

interface MirrorsOptions {
  db: DatabaseSync;
  clock: () => number;
  lines: Pick<Lines, "appendMirrored">;
  read: <T>(query: () => T) => Promise<T>;
  write: <T>(op: () => T, weight?: number) => Promise<T>;
}

export function createMirrors({ db, clock, lines, read, write }: MirrorsOptions): MirrorStore {
  const position = db.prepare("SELECT position FROM mirrors WHERE tenant = ? AND name = ?");
  const move = db.prepare(
    `INSERT INTO mirrors (tenant, name, position) VALUES (?, ?, ?)
     ON CONFLICT (tenant, name) DO UPDATE SET position = excluded.position`,
  );
  const find = db.prepare(
    "SELECT job_id FROM mirrored_jobs WHERE tenant = ? AND mirror = ? AND outside_id = ?",
  );
  const insert = db.prepare(
    "INSERT INTO mirrored_jobs (tenant, mirror, outside_id, job_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const drop = db.prepare(
    "DELETE FROM mirrored_jobs WHERE tenant = ? AND mirror = ? AND outside_id = ?",
  );
  const leases = new Map<string, { holder: string; end: number }>();

  const jobOf = ({ tenant, name }: MirrorRef, outsideId: string) =>
    (find.get(tenant, name, outsideId) as { job_id: string } | undefined)?.job_id;

  return {
    hold: ({ mirror, holder, leaseMs, position: reached }) =>
      (reached === undefined ? read : write)(() => {
        const { tenant, name } = mirror;
        const lease = leases.get(leaseOf(mirror));
        if (lease !== undefined && lease.holder !== holder && lease.end > clock()) return undefined;
        leases.set(leaseOf(mirror), { holder, end: clock() + leaseMs });
        if (reached !== undefined) move.run(tenant, name, reached);
        const row = position.get(tenant, name) as { position: string } | undefined;
        return { position: row?.position ?? null };
      }),
    release: (mirror, holder) =>
      read(() => {
        if (leases.get(leaseOf(mirror))?.holder === holder) leases.delete(leaseOf(mirror));
      }),
    find: (mirror, outsideIds) => read(() => outsideIds.map((each) => jobOf(mirror, each))),
    bind: (mirror, outsideId, jobId) =>
      write(() => {
        insert.run(mirror.tenant, mirror.name, outsideId, jobId);
        return jobOf(mirror, outsideId) ?? jobId;
      }),
    unbind: ({ tenant, name }, outsideIds) =>
      write(() => {
        for (const each of outsideIds) drop.run(tenant, name, each);
      }, outsideIds.length),
    appendLines: (jobId, after, fresh) =>
      write(() => lines.appendMirrored(jobId, after, fresh), fresh.length + 1),
  };
}

/** A kind has no space. */
function leaseOf({ tenant, name }: MirrorRef): string {
  return `${name} ${tenant}`;
}
