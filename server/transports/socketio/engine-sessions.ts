/**
 * Bounds the number of Engine.IO sessions of this server. A polling session holds no open connection: one small request
 * creates it, and it lives until it misses a heartbeat.
 */
import type { DeadlineOwner, Deadlines } from "#server/transports/deadlines.ts";
import type { Connection } from "./connection-writer.ts";

export interface EngineSessionLimits {
  max: number;
  /** The limit for sessions that have not joined Socket.IO. Beyond it the oldest one is closed: real clients join at once. */
  maxUnjoined: number;
  /** How long a session may take to join Socket.IO. */
  joinMs: number;
}

export class EngineSessions {
  readonly #limits: EngineSessionLimits;
  readonly #all = new Set<Connection>();
  /** Oldest first. */
  readonly #unjoined = new Map<Connection, DeadlineOwner>();
  readonly #deadlines: Deadlines;

  constructor(limits: EngineSessionLimits, deadlines: Deadlines) {
    this.#limits = limits;
    this.#deadlines = deadlines;
  }

  /** Returns a message for the client if no further session may be opened, else `undefined`. */
  refusal(): string | undefined {
    return this.#all.size < this.#limits.max
      ? undefined
      : `This server has reached its limit of ${this.#limits.max} Socket.IO sessions. Try again later.`;
  }

  add(connection: Connection): void {
    this.#all.add(connection);
    this.#unjoined.set(connection, { due: () => connection.close(true) });
    this.awaitJoin(connection);
    connection.once("close", () => {
      this.#all.delete(connection);
      this.joined(connection);
    });
    if (this.#unjoined.size <= this.#limits.maxUnjoined) return;
    const [oldest] = this.#unjoined.keys();
    oldest?.close(true);
  }

  /** The session has to join soon. Has no effect if it has joined before. */
  awaitJoin(connection: Connection): void {
    const owner = this.#unjoined.get(connection);
    if (owner !== undefined) this.#deadlines.set(owner, this.#limits.joinMs);
  }

  /** The session asks to join. The answer may take a while, which is not its fault. */
  joining(connection: Connection): void {
    const owner = this.#unjoined.get(connection);
    if (owner !== undefined) this.#deadlines.delete(owner);
  }

  joined(connection: Connection): void {
    this.joining(connection);
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
