/** All transports on an HTTP server of their own. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Limits } from "#server/limits/open.ts";
import { limitAddresses } from "./limits/address-limit.ts";
import { withoutBase } from "./base-path.ts";
import { answerClientErrors } from "./requests/client-errors.ts";
import type { Transport } from "./contract.ts";
import { offersWebSocket, serveWithoutUpgrade } from "./declined-upgrade.ts";
import { createHandler, type OnFault, transportOf } from "./handler.ts";
import type { OriginPolicy } from "./requests/origins.ts";
import type { Compression } from "./requests/compression.ts";
import { createPipeline } from "./requests/pipelining.ts";
import { reducedTarget } from "./requests/target.ts";

export interface MountOptions {
  onFault?: OnFault;
  /** Absent: connections are not limited by address. */
  limits?: Limits | undefined;
  /** The path below which a proxy serves this server: `/jobs`. Requests come with it, or a proxy has removed it. */
  basePath?: string | undefined;
  /** Absent: answers are not compressed. */
  compression?: Compression | undefined;
}

export function mountTransports(
  server: Server,
  transports: readonly Transport[],
  origins: OriginPolicy,
  { limits, basePath = "", ...options }: MountOptions = {},
): void {
  const pipeline = createPipeline();
  const handler = createHandler(transports, origins, {
    ...options,
    pipeline,
    addressLimit: limits && limitAddresses(server, limits),
  });
  const inside = (req: IncomingMessage) => {
    const target = reducedTarget(req);
    req.url = withoutBase(target, basePath) ?? target;
  };
  server.on("request", (req: IncomingMessage, res: ServerResponse) => {
    inside(req);
    handler.request(req, res);
  });
  // Without this listener Node answers at once, and `pipelining.ts` would not count such requests.
  server.on("checkExpectation", handler.expectation);
  server.on("upgrade", (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Before Node 24.9 every offer arrives here. One behind a request without an answer ends its connection below.
    if (!offersWebSocket(req) && !pipeline.isBusy(req.socket)) {
      return serveWithoutUpgrade(server, req, { socket, head });
    }
    inside(req);
    handler.upgrade(req, socket, head);
  });
  answerClientErrors(server, {
    pipeline,
    transports,
    transportOf: (url) => transportOf(transports, url),
  });
}
