/** Opened tickets, and the connection that holds each. */
import type { DatabaseSync } from "node:sqlite";
import type { TicketRef, TicketTake } from "#server/engine/ticket-store.ts";
import { MAX_TICKETS } from "#shared/limits.ts";
import type { Outbox } from "./outbox.ts";

export interface Tickets {
  take(ticket: TicketTake, at: Date): boolean;
  holder(ticket: TicketRef): string | undefined;
}

export function createTickets(db: DatabaseSync, outbox: Pick<Outbox, "credentialEnded">): Tickets {
  const dropEnded = db.prepare("DELETE FROM tickets WHERE tenant = ? AND user = ? AND ends <= ?");
  const find = db.prepare("SELECT holder FROM tickets WHERE tenant = ? AND user = ? AND id = ?");
  const dropBeyond = db.prepare(
    `DELETE FROM tickets WHERE (tenant, user, id) IN (
       SELECT tenant, user, id FROM tickets WHERE tenant = ? AND user = ? ORDER BY ends DESC LIMIT -1 OFFSET ?)`,
  );
  const put = db.prepare(
    `INSERT INTO tickets (tenant, user, id, holder, ends) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (tenant, user, id) DO UPDATE SET holder = excluded.holder`,
  );
  const holder = ({ tenant, user, id }: TicketRef) =>
    (find.get(tenant, user, id) as { holder: string } | undefined)?.holder;

  return {
    take(ticket, at) {
      const { tenant, user, id, mayOpen, until } = ticket;
      dropEnded.run(tenant, user, at.getTime());
      const isOpened = holder(ticket) !== undefined;
      if (!isOpened && !mayOpen) return false;
      if (!isOpened) dropBeyond.run(tenant, user, MAX_TICKETS - 1);
      put.run(tenant, user, id, ticket.holder, until.getTime());
      if (isOpened) outbox.credentialEnded({ kind: "ticket", id });
      return true;
    },
    holder,
  };
}
