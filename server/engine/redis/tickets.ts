/** Opened tickets, and the connection that holds each: of each user a sorted set by their ends, and a hash of the holders. */
import type { TicketStore } from "#server/engine/ticket-store.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import { MAX_TICKETS } from "#shared/limits.ts";
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";
import type { RunScript } from "./scripts.ts";

export function createTickets(redis: Client, run: RunScript, keys: Keys): TicketStore {
  /** In another slot than the tickets. A hint may be lost. */
  async function tellTaken(id: string): Promise<void> {
    const hint: CredentialHint = { kind: "ticket", id };
    await redis.spublish(keys.credentialHints, JSON.stringify(hint)).catch(() => undefined);
  }

  return {
    async take({ tenant, user, id, holder, mayOpen, until }, at) {
      const taken = await run<"opened" | "again" | "refused">(
        "take-ticket",
        keys.tenant(tenant),
        encodeURIComponent(user),
        id,
        holder,
        mayOpen ? 1 : 0,
        until.getTime(),
        at.getTime(),
        MAX_TICKETS,
      );
      if (taken === "again") await tellTaken(id);
      return taken !== "refused";
    },
    async holders(tickets) {
      const found = await Promise.all(
        tickets.map(({ tenant, user, id }) =>
          redis.hget(`${keys.owner({ tenant, owner: user })}:ticket-holders`, id),
        ),
      );
      return found.map((holder) => holder ?? undefined);
    },
  };
}
