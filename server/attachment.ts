/** The transports inside the HTTP server of another program. */
import type { IncomingMessage } from "node:http";
import { isLoopback } from "#shared/loopback.ts";
import type { Config } from "./config.ts";
import type { Core } from "./core.ts";
import { type GatewayParts, openGateway } from "./gateway.ts";
import { LAST_ANSWERS_MS } from "./http-server.ts";
import type { Door } from "./listener.ts";
import { openOwnMetrics } from "./metrics-server.ts";
import { limitRequests } from "./transports/limits/address-limit.ts";
import { attach, type Claim, claim } from "./transports/attach.ts";
import { createHandler } from "./transports/handler.ts";
import { encodersOfRefusals } from "./transports/index.ts";
import { createCompression } from "./transports/requests/compression.ts";
import { openStallWatch } from "./transports/requests/stalled-responses.ts";
import { createRouter } from "./transports/trpc/router.ts";
import { createUnavailable } from "./transports/unavailable.ts";

const EXPOSED =
  "Jobwire does not ask its callers who they are here, so it answers only on loopback addresses. Give createJobwire an `authenticate` function, configure AUTH_JWT_SECRET, AUTH_JWKS_URL or AUTH_API_KEYS, or set ALLOW_ANONYMOUS=true if every caller may see and change all jobs.";

/**
 * Takes the path of the server at once: until something is opened there, callers are told to try again. Throws `TypeError` if
 * nothing can be attached to the server below this path.
 */
export function claimPath(
  server: unknown,
  basePath: string,
  { PING_INTERVAL_MS: intervalMs, PING_TIMEOUT_MS: timeoutMs }: Config,
): Claim {
  const { _config } = createRouter({ intervalMs, timeoutMs }, [])._def;
  const encoders = encodersOfRefusals(_config, basePath);
  return claim(server, basePath, {
    starting: createUnavailable("starting", encoders),
    closed: createUnavailable("closed", encoders),
  });
}

/** Its `close` leaves the path closed. */
export async function openAttachment(core: Core, path: Claim, parts: GatewayParts): Promise<Door> {
  const { config, limits, log } = core;
  await using opened = new AsyncDisposableStack();
  const own = await openOwnMetrics(core, config);
  if (own !== undefined) opened.defer(() => own.close());
  // The program decides where its server listens, so each request tells whether another machine can reach it.
  const isLocal = core.isOpen && !config.ALLOW_ANONYMOUS;
  const host = isLocal ? "127.0.0.1" : "0.0.0.0";
  const place = { host, basePath: path.basePath, isSecure: path.isSecure };
  const gateway = await openGateway(core, place, parts);
  opened.defer(() => gateway.close());
  const { transports, origins, onFault } = gateway;
  const handler = createHandler(transports, origins, {
    onFault,
    addressLimit: limits && limitRequests(limits),
    compression: config.COMPRESSION ? createCompression() : undefined,
  });
  const stalls = openStallWatch(config.STALL_TIMEOUT_MS, ({ remoteAddress }) => {
    core.metrics.server.stalled();
    log.debug({ remoteAddress }, "A client did not read its answer and was disconnected");
  });
  opened.defer(stalls.close);
  const attachment = attach(path, handler, {
    refusal: (req) => (isLocal && !arrivedLocally(req) ? EXPOSED : undefined),
    onRequest: stalls.add,
  });
  opened.defer(async () => {
    const closed = Promise.all(transports.map((transport) => transport.close()));
    await attachment.detach(LAST_ANSWERS_MS);
    await closed;
  });

  const open = opened.move();
  return {
    url: undefined,
    ending: () => undefined,
    handOver: gateway.handOver,
    close: () => open.disposeAsync(),
  };
}

function arrivedLocally({ socket }: IncomingMessage): boolean {
  // Without an address it came through a Unix socket.
  return (
    socket.localAddress === undefined || isLoopback(socket.localAddress.replace(/^::ffff:/, ""))
  );
}
