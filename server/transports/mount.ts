/**
 * One http server for all transports: sends each request to the one that serves its path, after the checks of origin and
 * host that the transport declares for that path.
 * Whatever a request makes a transport throw, it costs that request and nothing else.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { FAULT } from "#shared/public-message.ts";
import { ambiguity } from "./ambiguous-request.ts";
import { discardBody } from "./body.ts";
import { answerClientErrors } from "./client-errors.ts";
import type { Access, Transport } from "./contract.ts";
import { allowOrigin, answerPreflight } from "./cors.ts";
import { isTooLong, TOO_LONG } from "./head-limit.ts";
import { isRefused, type OriginPolicy, whyRefused } from "./origins.ts";
import { createPipeline } from "./pipelining.ts";
import { bodyOf, refuse, refuseUpgrade } from "./refusals.ts";
import { reduceTarget } from "./target.ts";

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

  function route(url: string | undefined): Route {
    const path = pathOf(url);
    const transport = transports.find(({ access }) => access(path) !== undefined);
    return { path, transport, access: transport?.access(path) ?? "data" };
  }

  function answer(req: IncomingMessage, res: ServerResponse): void {
    reduceTarget(req);
    const { path, transport, access } = route(req.url);
    const turnAway = (status: number, message: string): void => {
      discardBody(req);
      refuse(res, status, bodyOf(transport, status, message));
    };
    const fault = ambiguity(req);
    if (fault !== undefined) return turnAway(400, fault);
    const origin = origins.of(req, access);
    res.setHeader("Vary", "Origin");
    if (isRefused(origin)) return turnAway(403, whyRefused(origin, req));
    if (origin === "allowed") {
      allowOrigin(req, res, { credentials: origins.isExact(req.headers.origin ?? "") });
      if (req.method === "OPTIONS") return answerPreflight(req, res);
    }
    // A preflight has the address of the request that its page wants to send, and may learn that from that one's answer.
    if (isTooLong(req)) return turnAway(431, TOO_LONG);
    // `fetch` knows no such method, and what is built on it fails.
    if (req.method === "TRACE") {
      res.setHeader("Allow", "GET, HEAD, POST, OPTIONS");
      return turnAway(405, "TRACE is not served here.");
    }
    if (transport === undefined) return turnAway(404, "There is nothing here.");
    // Transports read bodies of POST alone.
    if (req.method !== "POST") discardBody(req);
    try {
      transport.request(req, res);
    } catch (error) {
      onFault(error, path);
      if (res.headersSent) res.destroy();
      else refuse(res, 500, bodyOf(transport, 500, FAULT));
    }
  }

  server.on("request", (req: IncomingMessage, res: ServerResponse) =>
    pipeline.take(req, res, answer),
  );
  // Without this listener Node answers at once, and such requests would not count as pipelined.
  server.on("checkExpectation", (req: IncomingMessage, res: ServerResponse) =>
    pipeline.take(req, res, () =>
      refuse(res, 417, bodyOf(undefined, 417, "No expectation but 100-continue is met here.")),
    ),
  );

  server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A connection that breaks before a transport takes it over must not end the process.
    socket.on("error", destroy);
    // Its answer would get in between what the new protocol sends.
    if (pipeline.isBusy(req.socket)) return void socket.destroy();
    reduceTarget(req);
    const fault = ambiguity(req) ?? bodyOfUpgrade(req);
    if (fault !== undefined) return refuseUpgrade(socket, 400, fault);
    const { path, transport } = route(req.url);
    // A transport may take a connection without a look at the path, so the access of the path does not count.
    const origin = origins.of(req, "data");
    if (isRefused(origin)) return refuseUpgrade(socket, 403, whyRefused(origin, req));
    if (isTooLong(req)) return refuseUpgrade(socket, 431, TOO_LONG);
    if (transport?.upgrade === undefined) {
      return refuseUpgrade(socket, 404, "No WebSocket is served here.");
    }
    try {
      transport.upgrade(req, socket, head);
      if (socket.listenerCount("error") > 1) socket.off("error", destroy);
    } catch (error) {
      onFault(error, path);
      socket.destroy();
    }
  });

  answerClientErrors(server, {
    pipeline,
    transports,
    transportOf: (url) => route(url).transport,
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

function pathOf(url = "/"): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}
