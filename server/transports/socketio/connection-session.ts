/** The session of one connection: stores what a client that comes back gets again. */
import type { Socket } from "socket.io";
import type { Holder, SavedSession, Sessions } from "#server/sessions/open.ts";
import { SmallMap } from "#server/transports/sockets/small-map.ts";
import type { Principal } from "#shared/principal.ts";
import { type Pings, pingsOf } from "./pings.ts";
import { Receipts } from "./receipts.ts";
import { NO_END, type Restored } from "./restore.ts";

/** Reasons after which the client does not return: it disconnected explicitly, or the embedding program disconnected it. */
const FOR_GOOD = new Set(["client namespace disconnect", "server namespace disconnect"]);

export class ConnectionSession implements Holder {
  readonly #socket: Socket;
  /** Both are absent in protocol 3 of Engine.IO, whose clients cannot resume a session. */
  readonly #pings: Pings | undefined;
  readonly #saved: SavedSession | undefined;
  /** Created with the first end that is sent. */
  #receipts: Receipts | undefined;
  /**
   * Valid even after the connection closed: for each subscription the end of its job that the client has certainly received,
   * or `NO_END`.
   */
  readonly #entries = new SmallMap<string, number>();

  constructor(
    socket: Socket,
    principal: Principal,
    { pid, isStored }: Pick<Restored, "pid" | "isStored">,
    sessions: Pick<Sessions, "hold">,
  ) {
    this.#socket = socket;
    const pings = pingsOf(socket.conn);
    this.#pings = pings;
    if (pings === undefined) return;
    this.#saved = sessions.hold({ principal, secret: pid }, this, isStored);
    pings.owner = this;
  }

  get id(): string {
    return this.#socket.id;
  }

  entries(): Iterable<readonly [key: string, end: number]> {
    return this.#entries.entries();
  }

  /** Closes below Socket.IO: a client that is still connected treats this as a lost connection, and reconnects. */
  evicted(): void {
    this.#socket.conn.close(true);
  }

  /** The client answered a ping. */
  heard(): void {
    this.renew();
  }

  /** Detects that another connection has taken the session meanwhile. */
  renew(): void {
    this.#saved?.renew();
  }

  /** Calls `answered` once the client has received everything sent before. */
  ask(answered: () => void): void {
    this.#pings?.ask(answered);
  }

  /** An entry that the session had, so it is not stored again. */
  restored(key: string, toldEnd: number | undefined): void {
    this.#entries.set(key, toldEnd ?? NO_END);
  }

  /** The client subscribed. Resolves when that is stored, or the attempt has failed. */
  subscribed(key: string): Promise<void> {
    return this.#store(key, NO_END);
  }

  /** This end of its job was sent. It is stored when the client has received it. */
  ended(key: string, end: number): void {
    if (this.#pings === undefined) return;
    this.#receipts ??= new Receipts(this.#pings, (of, value) => {
      if (this.#entries.has(of)) void this.#store(of, value);
    });
    this.#receipts.expect(key, end);
  }

  async unsubscribed(key: string): Promise<void> {
    this.#entries.delete(key);
    this.#receipts?.forget(key);
    await this.#saved?.change(key, null);
  }

  /** The client has left, for a reason that Socket.IO gives. */
  left(reason: string): void {
    if (this.#pings?.owner === this) this.#pings.owner = undefined;
    if (FOR_GOOD.has(reason)) this.#saved?.end();
  }

  async #store(key: string, end: number): Promise<void> {
    this.#entries.set(key, end);
    await this.#saved?.change(key, end);
  }
}
