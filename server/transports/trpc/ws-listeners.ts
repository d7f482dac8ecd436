/** Passes the events of a WebSocket to its connection. */
import type { WebSocket } from "ws";

interface Listener {
  heard(data: Buffer, isBinary: boolean): void;
  pinged(payload: Buffer): void;
  broke(cause: Error): void;
  closed(): void;
}

const CONNECTION = Symbol("connection");
type Served = WebSocket & { [CONNECTION]?: Listener };

// All sockets share these listeners: a closure for each would take more memory than a connection's state.
function onMessage(this: Served, data: Buffer, isBinary: boolean): void {
  this[CONNECTION]?.heard(data, isBinary);
}
function onPing(this: Served, data: Buffer): void {
  this[CONNECTION]?.pinged(data);
}
function onError(this: Served, cause: Error): void {
  this[CONNECTION]?.broke(cause);
}
function onClose(this: Served): void {
  this[CONNECTION]?.closed();
}

export function listenTo(ws: WebSocket, listener: Listener): void {
  (ws as Served)[CONNECTION] = listener;
  ws.on("message", onMessage);
  ws.on("ping", onPing);
  ws.on("error", onError);
  ws.on("close", onClose);
}
