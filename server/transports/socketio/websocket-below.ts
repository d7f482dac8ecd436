/**
 * The WebSocket that a connection goes over, and its socket. Writing a whole frame to it costs a third less than
 * handing a packet to Engine.IO.
 *
 * Both Engine.IO and `ws` keep it in a field that is not in their types. Where it is not found nothing breaks:
 * packets take the long way. A test fails when the fields are gone.
 */
import { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Connection } from "./outlet.ts";

/** `undefined` while the connection polls. */
export function websocketBelow(
  connection: Connection,
): { ws: WebSocket; socket: Duplex } | undefined {
  const ws = (connection.transport as { socket?: WebSocket & { _socket?: unknown } }).socket;
  const socket = ws?._socket;
  return ws === undefined || !(socket instanceof Duplex) ? undefined : { ws, socket };
}
