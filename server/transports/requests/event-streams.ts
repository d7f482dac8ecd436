/** The open streams over HTTP (SSE) in numbers. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import {
  type ConnectionKind,
  type ConnectionUsage,
  newSent,
  type SentCounts,
} from "#server/transports/usage.ts";

export class EventStreams {
  readonly #kind: ConnectionKind;
  readonly #open = new Map<ServerResponse, { socket: Socket; before: number }>();
  readonly #sent = newSent();
  #opened = 0;

  constructor(kind: ConnectionKind) {
    this.#kind = kind;
  }

  /** Counts the response until it closes. Returns the counts to which its entries are added. */
  add({ socket }: IncomingMessage, res: ServerResponse): SentCounts {
    this.#opened += 1;
    if (res.closed) return this.#sent;
    const stream = { socket, before: socket.bytesWritten };
    this.#open.set(res, stream);
    res.once("close", () => {
      this.#open.delete(res);
      this.#sent.bytes += bytesOf(stream);
    });
    return this.#sent;
  }

  usage(): ConnectionUsage {
    let { bytes } = this.#sent;
    for (const stream of this.#open.values()) bytes += bytesOf(stream);
    const { entries } = this.#sent;
    return {
      kind: this.#kind,
      open: this.#open.size,
      opened: this.#opened,
      sent: { entries, bytes },
    };
  }
}

/** A response has its connection for itself until it ends. */
function bytesOf({ socket, before }: { socket: Socket; before: number }): number {
  return socket.bytesWritten - before;
}
