/** The scopes that are paused, in memory: what a claim asks for each group of jobs. */
import type { PauseScope } from "#shared/pause.ts";

export interface PausedScopes {
  /** True if a scope has all jobs of the tenant that are of the kind. The pause of everything is none of these. */
  has(tenant: string, kind: string): boolean;
  /** Returns whether this changes anything. */
  set(scope: PauseScope, isPaused: boolean): boolean;
}

/** There are none at first. */
export function createPausedScopes(): PausedScopes {
  /** Kinds by tenants. `undefined`: all of them. */
  const scopes = new Map<string | undefined, Set<string | undefined>>();

  return {
    has(tenant, kind) {
      const own = scopes.get(tenant);
      return (
        scopes.get(undefined)?.has(kind) === true ||
        (own !== undefined && (own.has(undefined) || own.has(kind)))
      );
    },
    set({ tenant, kind }, isPaused) {
      const own = scopes.get(tenant) ?? new Set();
      if (own.has(kind) === isPaused) return false;
      if (isPaused) own.add(kind);
      else own.delete(kind);
      if (own.size === 0) scopes.delete(tenant);
      else scopes.set(tenant, own);
      return true;
    },
  };
}
