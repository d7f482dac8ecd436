/**
 * One http server for all transports: sends each request to the one that serves its path, after the checks of origin and
 * host that the transport declares for that path.
 * Whatever a request makes a transport throw, it costs that request and nothing else.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { ambiguity } from "./ambiguity.ts";
import { discardBody } from "./body.ts";
import type { Access, Transport } from "./contract.ts";
import { isRefused, type OriginPolicy, whyRefused } from "./origins.ts";
import { createPipeline } from "./pipelining.ts";

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

interface Route {
  path: string;
  transport: Transport | undefined;
  access: Access;
}

/** The last transport serves what no other does. */
export function mountTransports(
  server: Server,
  transports: readonly Transport[],
  origins: OriginPolicy,
  onFault: (error: unknown, path: string) => void = () => {},
): void {
  const pipeline = createPipeline();

  function route(req: IncomingMessage): Route {
    const path = pathOf(req);
    const transport = transports.find(({ access }) => access(path) !== undefined);
    return { path, transport, access: transport?.access(path) ?? "data" };
  }

  function answer(req: IncomingMessage, res: ServerResponse): void {
    const fault = ambiguity(req);
    if (fault !== undefined) return turnAway(req, res, 400, fault);
    const { path, transport, access } = route(req);
    const origin = origins.of(req, access);
    res.setHeader("Vary", "Origin");
    if (isRefused(origin)) return turnAway(req, res, 403, whyRefused(origin, req));
    if (origin === "allowed") {
      res.setHeader("Access-Control-Allow-Origin", req.headers.origin ?? "");
      if (req.method === "OPTIONS") {
        res.writeHead(204, PREFLIGHT).end();
        return;
      }
    }
    if (transport === undefined) return turnAway(req, res, 404, "There is nothing here.");
    // Transports read bodies of POST alone.
    if (req.method !== "POST") discardBody(req);
    try {
      transport.request(req, res);
    } catch (error) {
      onFault(error, path);
      if (res.headersSent) res.destroy();
      else refuse(res, 500, "Something went wrong in the server. It was logged; try again.");
    }
  }

  server.on("request", (req: IncomingMessage, res: ServerResponse) =>
    pipeline.take(req, res, answer),
  );
  // Without this listener Node answers at once, and such requests would not count as pipelined.
  server.on("checkExpectation", (req: IncomingMessage, res: ServerResponse) =>
    pipeline.take(req, res, () => refuse(res, 417, "No expectation but 100-continue is met here.")),
  );

  server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A connection that breaks before anybody took it over must not end the process.
    socket.on("error", destroy);
    // Its answer would get in between what the new protocol sends.
    if (pipeline.isBusy(req.socket)) return void socket.destroy();
    const fault = ambiguity(req) ?? bodyOfUpgrade(req);
    if (fault !== undefined) return refuseUpgrade(socket, "400 Bad Request", fault);
    const { path, transport } = route(req);
    // A transport may take a connection without a look at the path, so the access of the path does not count.
    const origin = origins.of(req, "data");
    if (isRefused(origin)) return refuseUpgrade(socket, "403 Forbidden", whyRefused(origin, req));
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

/** Node then hides the socket behind a stream, and what waits for the client is not seen any more. */
function bodyOfUpgrade({ headers }: IncomingMessage): string | undefined {
  const none =
    (headers["content-length"] ?? "0") === "0" && headers["transfer-encoding"] === undefined;
  return none ? undefined : "A request for an upgrade has no body. Send it without one.";
}

function destroy(this: Duplex): void {
  this.destroy();
}

function pathOf({ url = "/" }: IncomingMessage): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}

function turnAway(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  message: string,
): void {
  discardBody(req);
  refuse(res, status, message);
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
