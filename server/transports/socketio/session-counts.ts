/** The Engine.IO sessions in numbers, by the way in which they are connected. */
import { type ConnectionUsage, newSent } from "#server/transports/usage.ts";
import { sharedListener } from "#server/transports/sockets/shared-listener.ts";
import type { Connection } from "./connection-writer.ts";

export class SessionCounts {
  readonly sent = { websocket: newSent(), polling: newSent() };
  readonly #opened = { websocket: 0, polling: 0 };
  readonly #onUpgrade = sharedListener(() => void (this.#opened.websocket += 1));

  /** Counts a session that has opened, and its change to a WebSocket. */
  add(connection: Connection): void {
    this.#opened[wayOf(connection)] += 1;
    if (wayOf(connection) === "polling") connection.on("upgrade", this.#onUpgrade);
  }

  usage(
    open: readonly Connection[],
    websockets: { full: number; stalled: number },
  ): readonly ConnectionUsage[] {
    const polling = open.filter((connection) => wayOf(connection) === "polling").length;
    return [
      {
        kind: "socketio-websocket",
        open: open.length - polling,
        opened: this.#opened.websocket,
        sent: this.sent.websocket,
        ...websockets,
      },
      {
        kind: "socketio-polling",
        open: polling,
        opened: this.#opened.polling,
        sent: this.sent.polling,
      },
    ];
  }
}

function wayOf({ transport }: Connection): "websocket" | "polling" {
  return transport.name === "polling" ? "polling" : "websocket";
}
