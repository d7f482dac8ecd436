/** All that the command manages, in the server or on an engine of its own. */
import type { Assigned, Engine } from "#server/engine/contract.ts";
import type { UserPage, UserQuery, UserRef } from "#shared/known-user.ts";
import { COMMAND_ACTOR } from "#shared/audit.ts";
import { LOCAL_PRINCIPAL, ownerOf } from "#shared/principal.ts";
import type { Revoked } from "#shared/revocation.ts";
import { type ApiKeys, createApiKeys } from "./api-keys.ts";
import { type Audit, createAudit } from "./audit.ts";
import { createPauses, type Pauses } from "./pauses.ts";
import { type AssignedSchedules, assignSchedules } from "./assign-schedules.ts";
import { createManagedSchedules, type ManagedSchedules } from "./schedules.ts";
import { createRevocations, type Revocations } from "./revocations.ts";
import { createWorkers, type Workers } from "./workers.ts";
import type { Worker } from "#shared/worker.ts";

export interface AssignedAll extends Assigned {
  schedules: AssignedSchedules;
}

/** A commit of some milliseconds. */
const ASSIGNED_AT_ONCE = 500;

export interface Management {
  readonly apiKeys: ApiKeys;
  readonly revocations: Revocations;
  readonly audit: Pick<Audit, "list">;
  readonly jobs: {
    /**
     * Gives the schedules, and some of the jobs and batches, that were created without sign-in to a user. Call it again until it
     * moves none. Rejects as `Engine.assign` does.
     */
    assign(to: UserRef): Promise<AssignedAll>;
  };
  readonly pauses: Pauses;
  readonly schedules: ManagedSchedules;
  readonly users: {
    /** A page of the users that the server knows of. */
    list(query: UserQuery): Promise<UserPage>;
  };
  readonly workers: Workers;
}

interface ManagementOptions {
  now: () => Date;
  /** Receives entries of audit lists that could not be stored. */
  tell: (error: unknown, what: string) => void;
  /** Called after each revocation of a token or a user. */
  onRevoked?: ((revoked: Revoked) => void) | undefined;
  /** The worker of this process. */
  ownWorker?: (() => Worker | undefined) | undefined;
}

export function createManagement(
  engine: Pick<
    Engine,
    | "apiKeys"
    | "assign"
    | "revocations"
    | "audit"
    | "listUsers"
    | "pauses"
    | "schedules"
    | "workers"
  >,
  { now, tell, onRevoked, ownWorker }: ManagementOptions,
): Management {
  const audit = createAudit({ store: engine.audit, now, tell });
  return {
    apiKeys: createApiKeys({ store: engine.apiKeys, audit, now }),
    revocations: createRevocations({ store: engine.revocations, audit, now, onRevoked }),
    audit,
    jobs: {
      async assign({ tenant, user }) {
        const [from, to] = [ownerOf(LOCAL_PRINCIPAL), { tenant, owner: user }];
        const assigned = await engine.assign(from, to, ASSIGNED_AT_ONCE);
        const schedules = await assignSchedules(engine.schedules, { from, to, now });
        if (schedules.moved > 0) {
          // Meanwhile they may have created jobs for the owner of before.
          const more = await engine.assign(from, to, ASSIGNED_AT_ONCE);
          Object.assign(assigned, { ...more, moved: assigned.moved + more.moved });
        }
        const entry = { action: "user.assign", target: user, actor: COMMAND_ACTOR } as const;
        if (assigned.moved + schedules.moved > 0) await audit.record(tenant, entry);
        return { ...assigned, schedules };
      },
    },
    pauses: createPauses({ store: engine.pauses, audit, now }),
    schedules: createManagedSchedules({ store: engine.schedules, audit, now }),
    users: { list: (query) => engine.listUsers(query, now()) },
    workers: createWorkers({
      store: engine.workers,
      pauses: engine.pauses,
      audit,
      own: ownWorker,
    }),
  };
}
