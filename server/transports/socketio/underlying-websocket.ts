/**
 * The WebSocket that a connection goes over. Writing a whole frame to its socket costs a third less than handing a packet
 * to Engine.IO.
 *
 * Engine.IO keeps it in a field that is not in its types. Where it is not found nothing breaks: packets take the long
 * way. A test fails when the field is gone.
 */
import { WebSocket } from "ws";
import type { Connection } from "./connection-writer.ts";

/** `undefined` while the connection polls. */
export function underlyingWebSocket(connection: Connection): WebSocket | undefined {
  const { socket } = connection.transport as { socket?: unknown };
  return socket instanceof WebSocket ? socket : undefined;
}
