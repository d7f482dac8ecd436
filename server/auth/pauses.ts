/** Pauses of everything, of tenants and of kinds: for commands, and for principals with what they may do. */
import type { PauseStore } from "#server/engine/contract.ts";
import type { ActingPrincipal } from "#shared/actor.ts";
import { type AuditActor, auditActorOf, INSTANCE_LIST } from "#shared/audit.ts";
import { AppError } from "#shared/errors.ts";
import { type Pause, type PauseScope, textOfScope } from "#shared/pause.ts";
import { hasScope, type Principal } from "#shared/principal.ts";
import type { Audit } from "./audit.ts";

export interface Pauses {
  list(): Promise<Pause[]>;
  /** Stores a pause, unless there is one of the same scope, and returns the one that is stored. */
  set(scope: PauseScope & { note?: string | undefined }, actor: AuditActor): Promise<Pause>;
  /** `NOT_FOUND` where there is no pause of this scope. */
  remove(scope: PauseScope, actor: AuditActor): Promise<Pause>;
}

interface PausesOptions {
  store: PauseStore;
  audit: Pick<Audit, "record">;
  now: () => Date;
}

export function createPauses({ store, audit, now }: PausesOptions): Pauses {
  const record = (action: "pause.set" | "pause.remove", scope: PauseScope, actor: AuditActor) =>
    audit.record(scope.tenant ?? INSTANCE_LIST, { action, target: textOfScope(scope), actor });

  return {
    list: () => store.list(),
    async set({ note = "", ...scope }, actor) {
      const { user, via } = actor;
      const pause = { ...scopeOf(scope), at: now(), note, by: { user, via } };
      const before = await store.set(pause);
      if (before !== undefined) return before;
      await record("pause.set", scope, actor);
      return pause;
    },
    async remove(scope, actor) {
      const removed = await store.remove(scopeOf(scope));
      if (removed === undefined) {
        throw new AppError("NOT_FOUND", `There is no pause of ${textOfScope(scope)}.`);
      }
      await record("pause.remove", scope, actor);
      return removed;
    },
  };
}

/** Without fields that are `undefined`: engines store and compare what is there. */
function scopeOf({ tenant, kind }: PauseScope): PauseScope {
  return { ...(tenant !== undefined && { tenant }), ...(kind !== undefined && { kind }) };
}

/** The pauses as principals see and change them. */
export interface PauseCommands {
  /** Those that concern the principal's tenant; an operator sees all. */
  list(principal: Principal): Promise<Pause[]>;
  /** `FORBIDDEN` beyond the principal's own tenant, except for operators. */
  set(
    principal: ActingPrincipal,
    scope: PauseScope & { note?: string | undefined },
  ): Promise<Pause>;
  remove(principal: ActingPrincipal, scope: PauseScope): Promise<Pause>;
}

export function createPauseCommands(pauses: Pauses): PauseCommands {
  return {
    async list(principal) {
      const all = await pauses.list();
      if (hasScope(principal, "operator")) return all;
      const mine = all.filter(({ tenant = principal.tenantId }) => tenant === principal.tenantId);
      // An operator of another tenant is not named.
      return mine.map((each) =>
        each.tenant === undefined ? { ...each, by: { ...each.by, user: "" } } : each,
      );
    },
    async set(principal, scope) {
      assertMay(principal, scope);
      return pauses.set(scope, auditActorOf(principal));
    },
    async remove(principal, scope) {
      assertMay(principal, scope);
      return pauses.remove(scope, auditActorOf(principal));
    },
  };
}

function assertMay(principal: Principal, scope: PauseScope): void {
  if (hasScope(principal, "operator")) return;
  if (hasScope(principal, "admin") && scope.tenant === principal.tenantId) return;
  throw new AppError(
    "FORBIDDEN",
    scope.tenant === undefined
      ? "Only an operator pauses what concerns all tenants. Name your tenant to pause its own jobs."
      : "An admin pauses the jobs of the own tenant alone.",
  );
}
