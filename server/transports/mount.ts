/** One http server for all transports: sends each request to the one that serves its path, after the origin check. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Transport } from "./contract.ts";
import type { OriginPolicy } from "./origins.ts";

const PREFLIGHT = {
  "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
  "Access-Control-Allow-Headers":
    "authorization, content-type, last-event-id, trpc-accept, x-trpc-source",
  "Access-Control-Max-Age": "600",
};

/** The last transport serves what no other does. */
export function mountTransports(
  server: Server,
  transports: readonly Transport[],
  origins: OriginPolicy,
): void {
  const servedBy = (req: IncomingMessage) => {
    const path = pathOf(req);
    return transports.find((transport) => transport.serves(path));
  };

  server.on("request", (req: IncomingMessage, res: ServerResponse) => {
    const origin = origins.of(req);
    if (origin === "foreign") return refuse(res, 403, foreignText(req));
    if (origin === "allowed") {
      res.setHeader("Access-Control-Allow-Origin", req.headers.origin ?? "");
      res.setHeader("Vary", "Origin");
      if (req.method === "OPTIONS") {
        res.writeHead(204, PREFLIGHT).end();
        return;
      }
    }
    const transport = servedBy(req);
    if (transport === undefined) return refuse(res, 404, "There is nothing here.");
    transport.request(req, res);
  });

  server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A connection that breaks before anybody took it over must not end the process.
    socket.on("error", () => socket.destroy());
    if (origins.of(req) === "foreign")
      return refuseUpgrade(socket, "403 Forbidden", foreignText(req));
    const transport = servedBy(req);
    if (transport?.upgrade === undefined) {
      return refuseUpgrade(socket, "404 Not Found", "No WebSocket is served here.");
    }
    transport.upgrade(req, socket, head);
  });

  server.on("clientError", (_error, socket) => {
    if (socket.writable) refuseUpgrade(socket, "400 Bad Request", "This is not HTTP.");
    else socket.destroy();
  });
}

function pathOf({ url = "/" }: IncomingMessage): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}

function foreignText({ headers }: IncomingMessage): string {
  return `The origin ${headers.origin} may not use this server. Its operator can list it in CORS_ORIGINS.`;
}

function refuse(res: ServerResponse, status: number, message: string): void {
  res.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${message}\n`);
}

function refuseUpgrade(socket: Duplex, status: string, message: string): void {
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
  );
}
