/**
 * The pings of one connection: Engine.IO's own, and those that ask for a receipt. The answer to a ping proves that the
 * client received everything sent before it. Answers carry nothing to tell them apart, so both are counted from the first on.
 *
 * The method that sends a ping is not in Engine.IO's types; tests fail where it is gone.
 */
import type { Connection } from "./connection-writer.ts";

interface Pinging {
  sendPacket(type: "ping"): void;
}

const PINGS = Symbol("pings");
type WithPings = Connection & { [PINGS]?: Pings };

/** Before anything was sent. `undefined` in protocol 3, in which clients ping. */
export function openPings(connection: Connection): void {
  if (connection.protocol !== 3) (connection as WithPings)[PINGS] = new Pings(connection);
}

/** The ones of `openPings`. */
export function pingsOf(connection: Connection): Pings | undefined {
  return (connection as WithPings)[PINGS];
}

export class Pings {
  readonly #connection: Connection;
  #sent = 0;
  #answered = 0;
  /** Hears each answer. */
  owner: { heard(): void } | undefined;
  /** In the order of their pings. */
  #asked: { ping: number; answered: () => void }[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.on("packetCreate", ({ type }: { type: string }) => {
      if (type === "ping") this.#sent += 1;
    });
    connection.on("heartbeat", () => this.#onPong());
  }

  /** Sends one, and calls `answered` when the client has received all that was sent before it. */
  ask(answered: () => void): void {
    this.#asked.push({ ping: this.#sent + 1, answered });
    (this.#connection as unknown as Pinging).sendPacket("ping");
  }

  #onPong(): void {
    // Some clients answer what was not asked.
    this.#answered = Math.min(this.#answered + 1, this.#sent);
    this.owner?.heard();
    for (;;) {
      const [first] = this.#asked;
      if (first === undefined || first.ping > this.#answered) return;
      this.#asked.shift();
      first.answered();
    }
  }
}
