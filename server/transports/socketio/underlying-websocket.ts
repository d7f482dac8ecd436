/**
 * Finds the WebSocket below a connection. Writing a whole frame to its socket costs a third less than sending a packet
 * through Engine.IO.
 *
 * Engine.IO keeps it in a field that is not in its types. If the field disappears, packets go through Engine.IO, and a test
 * fails.
 */
import { WebSocket } from "ws";
import type { Connection } from "./connection-writer.ts";

/** Returns `undefined` while the connection polls. */
export function underlyingWebSocket(connection: Connection): WebSocket | undefined {
  const { socket } = connection.transport as { socket?: unknown };
  return socket instanceof WebSocket ? socket : undefined;
}
