/** Reads the messages of a WebSocket one after the other. */
import type { WebSocket } from "ws";

export interface Messages {
  /** Resolves to the next text. Rejects when the socket has closed. */
  next(): Promise<string>;
}

/** A server may send without end, also while no caller reads. What is beyond this is dropped. */
const MAX_WAITING = 100;

/** Call it before the socket opens. */
export function messagesOf(socket: WebSocket): Messages {
  const came: string[] = [];
  let waiting: PromiseWithResolvers<string> | undefined;
  let closed: Error | undefined;
  socket.on("message", (data: Buffer) => {
    const text = data.toString();
    if (waiting === undefined) {
      if (came.length < MAX_WAITING) came.push(text);
      return;
    }
    waiting.resolve(text);
    waiting = undefined;
  });
  socket.once("close", (code, reason) => {
    const why = reason.toString();
    closed = new Error(`it was closed with ${code}${why === "" ? "" : ` (${why})`}`);
    waiting?.reject(closed);
  });
  return {
    async next() {
      const text = came.shift();
      if (text !== undefined) return text;
      if (closed !== undefined) throw closed;
      waiting = Promise.withResolvers();
      return waiting.promise;
    },
  };
}
