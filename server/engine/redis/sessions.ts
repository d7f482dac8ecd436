/**
 * Sessions: the subscriptions of clients, for when they reconnect. Each is a hash that expires; a sorted set of the tenant
 * lists the sessions by their expiry.
 */
import { MAX_SAVED_SESSIONS, SESSION_KEPT_MS } from "#server/engine/session-limits.ts";
import type { Session, SessionChange, SessionRef, SessionSaved } from "#server/engine/contract.ts";
import { type Keys, ownerKey } from "./keys.ts";
import type { RunScript } from "./scripts.ts";

export interface Sessions {
  take(session: SessionRef, holder: string): Promise<Session | undefined>;
  save(session: SessionRef, holder: string, change: SessionChange): Promise<SessionSaved>;
  end(session: SessionRef, holder: string): Promise<void>;
}

export function createSessions(run: RunScript, keys: Keys): Sessions {
  return {
    async take(session, holder) {
      const { tenant } = session;
      const args = [refOf(session), holder, SESSION_KEPT_MS] as const;
      const answer = await run<string[]>("take-session", keys.tenant(tenant), ...args);
      const [before, ...flat] = answer;
      if (before === undefined) return undefined;
      const entries = new Map<string, number>();
      for (let at = 0; at < flat.length; at += 2) entries.set(flat[at] ?? "", Number(flat[at + 1]));
      return { holder: before, entries };
    },
    save(session, holder, { entries, whole }) {
      const pairs = [...entries].flatMap(([name, value]) => [name, `${value ?? ""}`]);
      return run<SessionSaved>(
        "save-session",
        keys.tenant(session.tenant),
        refOf(session),
        holder,
        whole ? 1 : 0,
        SESSION_KEPT_MS,
        MAX_SAVED_SESSIONS,
        pairs,
      );
    },
    async end(session, holder) {
      await run("end-session", keys.tenant(session.tenant), refOf(session), holder);
    },
  };
}

/** The separator is safe: `ownerKey` contains no colon. */
function refOf(session: SessionRef): string {
  return `${ownerKey(session)}:${session.id}`;
}
