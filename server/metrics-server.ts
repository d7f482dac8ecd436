/** Listens on METRICS_PORT, where there are metrics and nothing else. */
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import type { Core } from "./core.ts";
import { closeServer, createHttpServer, listen } from "./http-server.ts";
import type { Tls } from "./tls/open.ts";
import { createMetricsTransport, type Expose } from "./transports/index.ts";
import { mountTransports } from "./transports/mount.ts";
import { createCompression } from "./transports/requests/compression.ts";
import { createOriginPolicy } from "./transports/requests/origins.ts";

export interface MetricsServer {
  url: string;
  close(): Promise<void>;
}

/** Rejects with `listen`'s errors, such as `EADDRINUSE`. */
export async function openMetricsServer(
  port: number,
  {
    config,
    log,
    tls,
    metrics,
  }: { config: Config; log: Logger; tls: Tls | undefined; metrics: Expose },
): Promise<MetricsServer> {
  const http = createHttpServer(config, log, { tls });
  const transports = [createMetricsTransport(metrics, log)];
  const origins = createOriginPolicy({
    origins: [],
    host: config.HOST,
    allowedHosts: config.ALLOWED_HOSTS,
    authenticated: true,
    secure: tls !== undefined,
  });
  mountTransports(http.server, transports, origins, {
    compression: config.COMPRESSION ? createCompression() : undefined,
    onFault: (error, path) =>
      log.error({ err: error, path }, "The metrics failed to handle a request"),
  });
  const url = await listen(http, { ...config, PORT: port }, "METRICS_PORT");
  return {
    url: `${url}/metrics`,
    async close() {
      http.keepAlive.end();
      await closeServer(http, transports);
    },
  };
}

/** Opens the port that METRICS_PORT names; `undefined` where it names none. */
export async function openOwnMetrics(
  { log, metrics }: Core,
  config: Config,
  tls?: Tls,
): Promise<MetricsServer | undefined> {
  if (config.METRICS_PORT === undefined) return undefined;
  const { expose } = metrics;
  const own = await openMetricsServer(config.METRICS_PORT, { config, log, tls, metrics: expose });
  log.info({ url: own.url }, "metrics");
  return own;
}
