/**
 * Queues the messages of one connection and starts their requests in order. At most `MAX_UNDER_WAY` requests are under way,
 * none starts while the connection is full, and after `MAX_A_TURN` requests in a row the intake yields to other
 * connections.
 */
import type { Received } from "./ws-format.ts";
import type { Item } from "./ws-message.ts";

export interface IntakeOwner {
  /** True while no answer may be written. */
  isFull(): boolean;
  /** False while a message is not to be read yet. `readOn` of the intake's owner follows when it may be. */
  mayRead(received: Received): boolean;
  /** Returns the requests in a message. Answers everything else in it itself. */
  takeApart(received: Received): readonly Item[];
  /** Resolves when the request is answered or its subscription has begun. Never rejects. */
  handle(item: Item): Promise<void>;
  /** Called when the intake can accept more. */
  readOn(): void;
}

const MAX_UNDER_WAY = 64;
const MAX_A_TURN = 64;

/** A connection has an intake only while messages wait or requests are under way. */
export class Intake {
  readonly #owner: IntakeOwner;
  readonly #messages: (Received | undefined)[] = [];
  #messagesTaken = 0;
  /** The requests of the newest parsed message. */
  #items: readonly Item[] = [];
  #itemsTaken = 0;
  #underWay = 0;
  #inARow = 0;
  /** True while it yields to other connections. */
  #yielding = false;

  constructor(owner: IntakeOwner) {
    this.#owner = owner;
  }

  add(received: Received): void {
    this.#messages.push(received);
  }

  /** True if unhandled messages wait. */
  hasWaiting(): boolean {
    return this.#messagesTaken < this.#messages.length || this.#itemsTaken < this.#items.length;
  }

  isIdle(): boolean {
    return !this.hasWaiting() && this.#underWay === 0;
  }

  takeUp(): void {
    while (this.hasWaiting() && this.#mayTakeUp()) {
      const item = this.#items[this.#itemsTaken];
      if (item === undefined && !this.#mayTakeApart()) return;
      this.#inARow += 1;
      if (item === undefined) this.#takeApart();
      else this.#handle(item);
    }
    if (!this.hasWaiting()) this.#inARow = 0;
  }

  #mayTakeUp(): boolean {
    if (this.#yielding || this.#underWay >= MAX_UNDER_WAY || this.#owner.isFull()) return false;
    if (this.#inARow < MAX_A_TURN) return true;
    this.#yielding = true;
    setImmediate(() => {
      this.#yielding = false;
      this.#inARow = 0;
      this.#owner.readOn();
    });
    return false;
  }

  #mayTakeApart(): boolean {
    const received = this.#messages[this.#messagesTaken];
    return received === undefined || this.#owner.mayRead(received);
  }

  #takeApart(): void {
    const received = this.#messages[this.#messagesTaken];
    // Releases the message, which may be large, while its requests are under way.
    this.#messages[this.#messagesTaken] = undefined;
    this.#messagesTaken += 1;
    this.#items = received === undefined ? [] : this.#owner.takeApart(received);
    this.#itemsTaken = 0;
  }

  #handle(item: Item): void {
    this.#itemsTaken += 1;
    this.#underWay += 1;
    void this.#owner.handle(item).finally(() => {
      this.#underWay -= 1;
      this.#owner.readOn();
    });
  }
}
