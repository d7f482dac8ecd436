/**
 * All transports as one handler of requests and upgrades. Each request goes to the transport that serves its path, after the
 * checks of origin and host that the transport declares for that path. An exception in a transport fails only its request.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { FAULT } from "#shared/public-message.ts";
import type { AddressLimit } from "./limits/address-limit.ts";
import { ambiguity } from "./requests/ambiguous-request.ts";
import { discardBody } from "./requests/body.ts";
import type { Access, Transport } from "./contract.ts";
import type { Compression } from "./requests/compression.ts";
import { allowOrigin, answerPreflight } from "./requests/cors.ts";
import { isTooLong, TOO_LONG } from "./requests/head-limit.ts";
import { isRefused, type OriginPolicy, whyRefused } from "./requests/origins.ts";
import { createPipeline, type Pipeline } from "./requests/pipelining.ts";
import {
  bodyOf,
  refuse,
  refuseLimited,
  refuseLimitedUpgrade,
  refuseUpgrade,
} from "./requests/refusals.ts";

interface Route {
  path: string;
  transport: Transport | undefined;
  access: Access;
}

/** The addresses of its requests are paths: a target in absolute form is reduced, and the server's base path is gone. */
export interface Handler {
  request(req: IncomingMessage, res: ServerResponse): void;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Answers a request that expects something else than `100-continue`. */
  expectation(req: IncomingMessage, res: ServerResponse): void;
}

export type OnFault = (error: unknown, path: string) => void;

/** The last transport serves every path that no other transport serves. */
export function createHandler(
  transports: readonly Transport[],
  origins: OriginPolicy,
  {
    onFault = () => {},
    addressLimit,
    compression,
    pipeline = createPipeline(),
  }: {
    onFault?: OnFault | undefined;
    addressLimit: AddressLimit | undefined;
    /** Absent: answers are not compressed. */
    compression?: Compression | undefined;
    pipeline?: Pipeline;
  },
): Handler {
  function route(url: string | undefined): Route {
    const path = pathOf(url);
    const transport = transportOf(transports, url);
    return { path, transport, access: transport?.access(path) ?? "data" };
  }

  function answer(req: IncomingMessage, res: ServerResponse): void {
    const { path, transport, access } = route(req.url);
    if (transport?.mayCompress?.(req) !== false) compression?.apply(req, res);
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
    // Probes must learn how the server is, and static files hold no data.
    const limited =
      access === "public"
        ? undefined
        : addressLimit?.refusal(req, transport?.countsSessions === true ? undefined : res);
    if (limited !== undefined) {
      discardBody(req);
      res.setHeader("Connection", "close");
      return refuseLimited(res, limited, transport);
    }
    // A preflight has the address of the request that follows it. It passes, so that the page can read that request's 431.
    if (isTooLong(req)) return turnAway(431, TOO_LONG);
    // The Fetch API forbids TRACE, so code that builds a `Request` from it throws.
    if (req.method === "TRACE") {
      res.setHeader("Allow", "GET, HEAD, POST, OPTIONS");
      return turnAway(405, "TRACE is not served here.");
    }
    if (transport === undefined) return turnAway(404, "There is nothing here.");
    // Transports read the bodies of POST requests only.
    if (req.method !== "POST") discardBody(req);
    try {
      transport.request(req, res);
    } catch (error) {
      onFault(error, path);
      if (res.headersSent) res.destroy();
      else refuse(res, 500, bodyOf(transport, 500, FAULT));
    }
  }

  function upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A connection that breaks before a transport takes it over must not end the process.
    socket.on("error", destroy);
    // The answer to an earlier request would mix with the frames of the new protocol.
    if (pipeline.isBusy(req.socket)) return void socket.destroy();
    const fault = ambiguity(req) ?? bodyOfUpgrade(req);
    if (fault !== undefined) return refuseUpgrade(socket, 400, fault);
    const { path, transport } = route(req.url);
    // A transport may accept an upgrade on any path, so the access of the path is not used.
    const origin = origins.of(req, "data");
    if (isRefused(origin)) return refuseUpgrade(socket, 403, whyRefused(origin, req));
    const limited = addressLimit?.refusal(req, socket);
    if (limited !== undefined) return refuseLimitedUpgrade(socket, limited, transport);
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
  }

  return {
    request: (req, res) => pipeline.take(req, res, answer),
    upgrade,
    expectation: (req, res) =>
      pipeline.take(req, res, () =>
        refuse(
          res,
          417,
          bodyOf(undefined, 417, "This server supports no expectation but 100-continue."),
        ),
      ),
  };
}

export function transportOf(
  transports: readonly Transport[],
  url: string | undefined,
): Transport | undefined {
  const path = pathOf(url);
  return transports.find(({ access }) => access(path) !== undefined);
}

/** If an upgrade request has a body, Node wraps the socket in a stream that hides the socket's unsent bytes. */
function bodyOfUpgrade({ headers }: IncomingMessage): string | undefined {
  const none =
    (headers["content-length"] ?? "0") === "0" && headers["transfer-encoding"] === undefined;
  return none ? undefined : "A request for an upgrade cannot have a body. Send it without one.";
}

function destroy(this: Duplex): void {
  this.destroy();
}

function pathOf(url = "/"): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}
