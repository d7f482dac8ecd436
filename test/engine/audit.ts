/** The audit list of an engine, as tests write and read it. */
import { createAudit, type Audit } from "#server/auth/audit.ts";
import type { Engine } from "#server/engine/contract.ts";
import { asError } from "#shared/errors.ts";

export function auditOf(engine: Pick<Engine, "audit">, now = () => new Date()): Audit {
  return createAudit({ store: engine.audit, now, tell: fail });
}

function fail(error: unknown): never {
  throw asError(error);
}
