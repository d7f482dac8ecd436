/**
 * The pings of one connection: Engine.IO's own, and those that request a receipt. The answer to a ping proves that the
 * client received everything sent before it. Answers carry no id, so this module counts all pings and answers from the
 * first one.
 *
 * The method that sends a ping is not in Engine.IO's types; tests fail if it disappears.
 */
import { sharedListener } from "#server/transports/sockets/shared-listener.ts";
import type { Connection } from "./connection-writer.ts";

interface Pinging {
  sendPacket(type: "ping"): void;
}

interface Packet {
  readonly type: string;
}

const PINGS = Symbol("pings");
type WithPings = Connection & { [PINGS]?: Pings };

/** Call it before anything is sent. Does nothing in protocol 3, in which clients ping. */
export function startPings(connection: Connection): void {
  if (connection.protocol !== 3) (connection as WithPings)[PINGS] = new Pings(connection);
}

/** Returns the pings that `startPings` started; `undefined` in protocol 3. */
export function pingsOf(connection: Connection): Pings | undefined {
  return (connection as WithPings)[PINGS];
}

export class Pings {
  readonly #connection: Connection;
  #sent = 0;
  #answered = 0;
  /** Notified of each answer. */
  owner: { heard(): void } | undefined;
  /** Requested receipts, in the order of their pings. Most connections never ask. */
  #asked: { ping: number; answered: () => void }[] | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.on("packetCreate", Pings.#onCreate);
    connection.on("packet", Pings.#onPacket);
  }

  static readonly #onCreate = sharedListener((connection: Connection, { type }: Packet) => {
    const pings = pingsOf(connection);
    if (pings !== undefined && type === "ping") pings.#sent += 1;
  });
  static readonly #onPacket = sharedListener((connection: Connection, { type }: Packet) => {
    const pings = pingsOf(connection);
    if (pings !== undefined && type === "pong") pings.#onPong();
  });

  /** Sends a ping, and calls `answered` once the client has received everything sent before it. */
  ask(answered: () => void): void {
    (this.#asked ??= []).push({ ping: this.#sent + 1, answered });
    (this.#connection as unknown as Pinging).sendPacket("ping");
  }

  #onPong(): void {
    // Some clients send answers without a ping.
    this.#answered = Math.min(this.#answered + 1, this.#sent);
    this.owner?.heard();
    for (;;) {
      const first = this.#asked?.[0];
      if (first === undefined || first.ping > this.#answered) return;
      this.#asked?.shift();
      first.answered();
    }
  }
}
