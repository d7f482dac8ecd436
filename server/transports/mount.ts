/**
 * One http server for all transports: sends each request to the one that serves its path, after the origin check.
 * Whatever a request makes a transport throw, it costs that request and nothing else.
 */
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

/** What Node says of a request it cannot read, as an answer. */
const CLIENT_ERRORS: Record<string, [status: string, message: string]> = {
  HPE_HEADER_OVERFLOW: [
    "431 Request Header Fields Too Large",
    "The address and the headers of this request are too long together. Send it as POST.",
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "The request did not arrive in time."],
};

/** The last transport serves what no other does. */
export function mountTransports(
  server: Server,
  transports: readonly Transport[],
  origins: OriginPolicy,
  onFault: (error: unknown, path: string) => void = () => {},
): void {
  const servedBy = (path: string) => transports.find((transport) => transport.serves(path));

  server.on("request", (req: IncomingMessage, res: ServerResponse) => {
    const origin = origins.of(req);
    res.setHeader("Vary", "Origin");
    if (origin === "foreign" || origin === "misnamed") return refuse(res, 403, whyNot(origin, req));
    if (origin === "allowed") {
      res.setHeader("Access-Control-Allow-Origin", req.headers.origin ?? "");
      if (req.method === "OPTIONS") {
        res.writeHead(204, PREFLIGHT).end();
        return;
      }
    }
    const path = pathOf(req);
    const transport = servedBy(path);
    if (transport === undefined) return refuse(res, 404, "There is nothing here.");
    try {
      transport.request(req, res);
    } catch (error) {
      onFault(error, path);
      if (res.headersSent) res.destroy();
      else refuse(res, 500, "Something went wrong in the server. It was logged; try again.");
    }
  });

  server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A connection that breaks before anybody took it over must not end the process.
    socket.on("error", destroy);
    const origin = origins.of(req);
    if (origin === "foreign" || origin === "misnamed") {
      return refuseUpgrade(socket, "403 Forbidden", whyNot(origin, req));
    }
    const path = pathOf(req);
    const transport = servedBy(path);
    if (transport?.upgrade === undefined) {
      return refuseUpgrade(socket, "404 Not Found", "No WebSocket is served here.");
    }
    try {
      transport.upgrade(req, socket, head);
      if (socket.listenerCount("error") > 1) socket.off("error", destroy);
    } catch (error) {
      onFault(error, path);
      socket.destroy();
    }
  });

  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const [status, message] = CLIENT_ERRORS[error.code ?? ""] ?? [
      "400 Bad Request",
      "This is not HTTP.",
    ];
    if (socket.writable) refuseUpgrade(socket, status, message);
    else socket.destroy();
  });
}

function destroy(this: Duplex): void {
  this.destroy();
}

function pathOf({ url = "/" }: IncomingMessage): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}

function whyNot(origin: "foreign" | "misnamed", { headers }: IncomingMessage): string {
  return origin === "foreign"
    ? `The origin ${headers.origin} may not use this server. Its operator can list it in CORS_ORIGINS.`
    : `This server listens on this machine alone, and does not know itself as ${headers.host}. ` +
        "Where that is right, its operator can list the address, with https:// or http://, in FRONTEND_URL.";
}

function refuse(res: ServerResponse, status: number, message: string): void {
  res.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${message}\n`);
}

function refuseUpgrade(socket: Duplex, status: string, message: string): void {
  // The other side may never close its half.
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
  );
}
