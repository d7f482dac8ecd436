/** The transports on an HTTP server of their own. */
import type { Config } from "./config.ts";
import type { Core } from "./core.ts";
import { type GatewayParts, openGateway } from "./gateway.ts";
import { closeServer, createHttpServer, listen } from "./http-server.ts";
import { openOwnMetrics } from "./metrics-server.ts";
import type { Tls } from "./tls/open.ts";
import { createCompression } from "./transports/requests/compression.ts";
import { mountTransports } from "./transports/mount.ts";

/** Where clients reach a running process. */
export interface Door {
  /** The address on this machine: `http://localhost:8000`. `undefined`: that of another program's server. */
  readonly url: string | undefined;
  /** Every answer from now on ends its connection. */
  ending(): void;
  /** Sends the clients to other gateways, where there are any. */
  handOver(): Promise<void>;
  /** Tells clients to reconnect, and closes their connections. */
  close(): Promise<void>;
}

/** Rejects with the errors of `listen`, such as `EADDRINUSE`. */
export async function openListener(
  core: Core,
  { config, tls }: { config: Config; tls: Tls | undefined },
  parts: GatewayParts,
): Promise<Door & { url: string }> {
  const { limits, log } = core;
  const { HOST: host, BASE_PATH: basePath } = config;
  await using opened = new AsyncDisposableStack();
  const own = await openOwnMetrics(core, config, tls);
  if (own !== undefined) opened.defer(() => own.close());
  const place = { host, basePath, isSecure: tls !== undefined };
  const gateway = await openGateway(core, place, parts);
  opened.defer(() => gateway.close());
  const { transports, origins, onFault } = gateway;
  const http = createHttpServer(config, log, { tls, observer: core.metrics.server });
  const compression = config.COMPRESSION ? createCompression() : undefined;
  mountTransports(http.server, transports, origins, { basePath, limits, onFault, compression });
  opened.defer(() => closeServer(http, transports));
  const url = await listen(http, config);

  const open = opened.move();
  return {
    url: url + basePath,
    ending: () => http.keepAlive.end(),
    handOver: gateway.handOver,
    close: () => open.disposeAsync(),
  };
}
