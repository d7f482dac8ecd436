/**
 * The part of an engine that knows which connection holds an opened ticket, so that it is one at a time in all processes. Its
 * methods reject as those of the engine do (`contract.ts`).
 */

export interface TicketRef {
  tenant: string;
  user: string;
  id: string;
}

export interface TicketTake extends TicketRef {
  /** Names the connection. */
  holder: string;
  /** False: only a ticket that was opened before can be taken. */
  mayOpen: boolean;
  /** When the ticket has ended, so that it may be forgotten. */
  until: Date;
}

export interface TicketStore {
  /**
   * Gives the ticket to a connection. False: it was never opened, and may not be. Of more than `MAX_TICKETS` of a user, the
   * one that would end first is forgotten.
   */
  take(ticket: TicketTake, at: Date): Promise<boolean>;
  /** In the order of the tickets: which connection holds each. */
  holders(tickets: readonly TicketRef[]): Promise<(string | undefined)[]>;
}
