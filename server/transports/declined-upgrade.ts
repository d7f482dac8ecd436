/**
 * Requests that offer an upgrade which the server does not take, such as `Upgrade: h2c` of curl and of Java's client. A server
 * ignores such an offer (RFC 9110, 7.8). Node asks `shouldUpgradeCallback` from version 24.9 on; before, it emits every offer as
 * an upgrade where a listener for upgrades exists, and has left the connection by then. So the request is read again, without
 * its offer, by Node itself: its body, and what follows on its connection, are served as usual.
 */
import http, { type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";

/** The listener with which servers of node:http and node:https begin to read a connection. */
interface WithConnectionListener {
  _connectionListener: (this: Server, socket: Duplex) => void;
}

/** The server's own callback, which Node has from version 24.9 on. */
export interface WithUpgradeCallback {
  shouldUpgradeCallback?: (req: IncomingMessage) => boolean;
}

export function offersWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}

/** The arguments of an `upgrade` event. No earlier request of the connection may wait for its answer. */
export function serveWithoutUpgrade(
  server: Server,
  req: IncomingMessage,
  { socket, head }: { socket: Duplex; head: Buffer },
): void {
  const { method, url, httpVersion, rawHeaders } = req;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    if (name.toLowerCase() !== "upgrade") lines.push(`${name}: ${value}`);
  }
  // A server with a lenient parser may have read a line break in a value, which would begin another header.
  if (lines.some((line) => /[\r\n]/.test(line))) return void socket.destroy();
  // That of an idle connection may still run.
  req.socket.setTimeout(0);
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  (http as unknown as WithConnectionListener)._connectionListener.call(server, socket);
}
