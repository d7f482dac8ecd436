/**
 * Bounds the number of Engine.IO sessions of this server. A polling session holds no open connection: one small request
 * creates it, and it lives until it misses a heartbeat.
 */
import type { Connection } from "./connection-writer.ts";

export interface EngineSessionLimits {
  max: number;
  /** The limit for sessions that have not joined Socket.IO. Beyond it the oldest one is closed: real clients join at once. */
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

  /** Returns a message for the client if no further session may be opened, else `undefined`. */
  refusal(): string | undefined {
    return this.#all.size < this.#limits.max
      ? undefined
      : `This server has reached its limit of ${this.#limits.max} Socket.IO sessions. Try again later.`;
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

  /** Ends the session with this id, if it exists. */
  end(id: string): void {
    for (const connection of this.#all) {
      if (connection.transport.sid === id) connection.close(true);
    }
  }

  all(): Connection[] {
    return [...this.#all];
  }
}
