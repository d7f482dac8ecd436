/**
 * What a client has certainly received. That it was written says little: a connection that breaks takes it along, and the
 * server may not notice for a minute. Engine.IO's ping asks for a receipt: its answer comes from behind all that was sent
 * before it. So one is sent as soon as there is something to know, and one at a time.
 *
 * The method that sends it is not in Engine.IO's types; tests fail where it is gone.
 */
import type { Connection } from "./outlet.ts";

interface Pinging {
  sendPacket(type: "ping"): void;
}

/** Not of protocol 3, in which clients ping. */
export class Receipts {
  readonly #connection: Connection;
  readonly #received: (key: string, value: number) => void;
  /** Pings, Engine.IO's own among them. */
  #sent = 0;
  #answered = 0;
  /** Sent before the ping that is under way. */
  #asked: { ping: number; values: Map<string, number> } | undefined;
  /** Sent after it. */
  #unasked = new Map<string, number>();
  #isScheduled = false;

  constructor(connection: Connection, received: (key: string, value: number) => void) {
    this.#connection = connection;
    this.#received = received;
    connection.on("packetCreate", ({ type }: { type: string }) => {
      if (type === "ping") this.#sent += 1;
    });
    connection.on("heartbeat", () => this.#onPong());
  }

  /** `value` was sent under `key`. A newer one replaces it. */
  expect(key: string, value: number): void {
    this.#unasked.set(key, value);
    this.#schedule();
  }

  #onPong(): void {
    // Some clients answer what was not asked.
    this.#answered = Math.min(this.#answered + 1, this.#sent);
    if (this.#asked === undefined || this.#answered < this.#asked.ping) return;
    const { values } = this.#asked;
    this.#asked = undefined;
    for (const [key, value] of values) this.#received(key, value);
    this.#schedule();
  }

  #schedule(): void {
    const isAsking = this.#isScheduled || this.#asked !== undefined;
    if (isAsking || this.#unasked.size === 0) return;
    this.#isScheduled = true;
    // One for all of a tick.
    setImmediate(() => this.#ask());
  }

  #ask(): void {
    this.#isScheduled = false;
    this.#asked = { ping: this.#sent + 1, values: this.#unasked };
    this.#unasked = new Map();
    (this.#connection as unknown as Pinging).sendPacket("ping");
  }
}
