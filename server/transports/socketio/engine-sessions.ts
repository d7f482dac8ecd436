/**
 * Bounds the number of Engine.IO sessions of this server. A polling session holds no open connection: one small request
 * creates it, and it lives until it misses a heartbeat.
 */
import type { DeadlineOwner, Deadlines } from "#server/transports/callers/deadlines.ts";
import { sharedListener } from "#server/transports/sockets/shared-listener.ts";
import type { Connection } from "./connection-writer.ts";

export interface EngineSessionLimits {
  max: number;
  /** The limit for sessions that have not joined Socket.IO. Beyond it the oldest one is closed: real clients join at once. */
  maxUnjoined: number;
  /** How long a session may take to join Socket.IO. */
  joinMs: number;
}

/** A session that has not joined, or has left. */
interface Unjoined extends DeadlineOwner {
  /** On the clock of `performance.now()`. */
  readonly joinBy: number;
}

export class EngineSessions {
  readonly #limits: EngineSessionLimits;
  readonly #all = new Set<Connection>();
  /** Oldest first. */
  readonly #unjoined = new Map<Connection, Unjoined>();
  readonly #deadlines: Deadlines;
  readonly #onClose = sharedListener((connection: Connection) => {
    this.#all.delete(connection);
    this.joined(connection);
  });

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
    this.#expectJoin(connection);
    connection.on("close", this.#onClose);
    if (this.#unjoined.size <= this.#limits.maxUnjoined) return;
    const [oldest] = this.#unjoined.keys();
    oldest?.close(true);
  }

  /** A join was refused. Further ones do not give the session more time. */
  refused(connection: Connection): void {
    const unjoined = this.#unjoined.get(connection);
    if (unjoined === undefined) return;
    this.#deadlines.set(unjoined, Math.max(0, unjoined.joinBy - performance.now()));
  }

  /** The client has left, and may join again. */
  left(connection: Connection): void {
    if (connection.readyState === "open") this.#expectJoin(connection);
  }

  /** The session asks to join. The answer may take a while, which is not its fault. */
  joining(connection: Connection): void {
    const owner = this.#unjoined.get(connection);
    if (owner !== undefined) this.#deadlines.delete(owner);
  }

  hasJoined(connection: Connection): boolean {
    return !this.#unjoined.has(connection);
  }

  joined(connection: Connection): void {
    this.joining(connection);
    this.#unjoined.delete(connection);
  }

  #expectJoin(connection: Connection): void {
    const { joinMs } = this.#limits;
    const unjoined = {
      joinBy: performance.now() + joinMs,
      due: () => connection.close(true),
    };
    this.#unjoined.set(connection, unjoined);
    this.#deadlines.set(unjoined, joinMs);
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
