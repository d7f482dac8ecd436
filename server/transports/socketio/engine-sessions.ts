/**
 * The Engine.IO sessions of this server. A session that polls has no connection that stays open: one small request makes
 * one, and it lives until its heartbeat is missed. So their number is bounded here.
 */
import type { Connection } from "./connection-writer.ts";

export interface EngineSessionLimits {
  max: number;
  /** Of those that have not joined Socket.IO yet. Beyond it the oldest of them is closed: clients join at once. */
  maxUnjoined: number;
}

export class EngineSessions {
  readonly #limits: EngineSessionLimits;
  readonly #all = new Set<Connection>();
  /** Oldest first. */
  readonly #unjoined = new Set<Connection>();

  constructor(limits: EngineSessionLimits) {
    this.#limits = limits;
  }

  /** Why no further session may be opened; `undefined`: it may. */
  refusal(): string | undefined {
    return this.#all.size < this.#limits.max
      ? undefined
      : `This server has ${this.#limits.max} Socket.IO sessions already, which is its limit. Try again later.`;
  }

  add(connection: Connection): void {
    this.#all.add(connection);
    this.#unjoined.add(connection);
    connection.once("close", () => {
      this.#all.delete(connection);
      this.#unjoined.delete(connection);
    });
    if (this.#unjoined.size <= this.#limits.maxUnjoined) return;
    const [oldest] = this.#unjoined;
    oldest?.close(true);
  }

  joined(connection: Connection): void {
    this.#unjoined.delete(connection);
  }

  /** Ends the session of this id, where there is one. */
  end(id: string): void {
    for (const connection of this.#all) {
      if (connection.transport.sid === id) connection.close(true);
    }
  }

  all(): Connection[] {
    return [...this.#all];
  }
}
