/** The HTTP server below all transports, with TLS or without: its limits, its address and its shutdown. */
import { createServer, type Server, type ServerOptions } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import { type Config, ConfigError } from "./config.ts";
import type { ServerObserver } from "./metrics/delivery.ts";
import { openTls, type Tls } from "./tls/open.ts";
import { keyPairFiles } from "./tls/variables.ts";
import { limitConnections } from "./transports/limits/connection-limit.ts";
import type { Transport } from "./transports/contract.ts";
import { HEAD_OPTIONS } from "./transports/requests/head-limit.ts";
import { createKeepAlive, type KeepAlive } from "./transports/requests/keep-alive.ts";
import { requestTimeouts } from "./transports/requests/request-timeouts.ts";
import { closeStalledResponses } from "./transports/requests/stalled-responses.ts";

/** How long calls in progress at a shutdown may still take. */
export const LAST_ANSWERS_MS = 2000;

/** Longer than proxies keep idle connections (mostly 60 s): if the server closed first, a request could be lost. */
const KEEP_ALIVE_MS = 65_000;

export interface HttpServer {
  server: Server;
  keepAlive: KeepAlive;
  /** `undefined`: the server speaks plain HTTP. */
  tls: Tls | undefined;
}

/**
 * Reads the certificate and its key. Resolves to `undefined` if the server speaks plain HTTP, and rejects with `ConfigError`
 * if they cannot be used.
 */
export async function prepareTls(config: Config, log: Logger): Promise<Tls | undefined> {
  const files = keyPairFiles(config);
  const tls = files && (await openTls(files, log));
  if (tls !== undefined && "problems" in tls) throw new ConfigError(tls.problems);
  return tls;
}

/** Creates the server, which does not listen yet. `observer` counts the connections that it closes. */
export function createHttpServer(
  config: Config,
  log: Logger,
  { tls, observer }: { tls: Tls | undefined; observer?: ServerObserver | undefined },
): HttpServer {
  const options: ServerOptions = {
    // A client that offers another protocol (such as curl with HTTP/2) gets an answer in plain HTTP.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    keepAliveTimeout: KEEP_ALIVE_MS,
    ...requestTimeouts(config.REQUEST_TIMEOUT_MS),
    ...HEAD_OPTIONS,
    // `mountTransports` checks the header: `pipelining.ts` would not count Node's own answer to a request without it.
    requireHostHeader: false,
  };
  const server = tls?.createServer(options) ?? createServer(options);
  const keepAlive = createKeepAlive(server);
  limitConnections(server, config.MAX_CONNECTIONS, log);
  if (observer !== undefined) server.on("drop", observer.dropped);
  closeStalledResponses(server, config.STALL_TIMEOUT_MS, ({ remoteAddress }) => {
    observer?.stalled();
    log.debug({ remoteAddress }, "A client did not read its answer and was disconnected");
  });
  return { server, keepAlive, tls };
}

/** An error of `listen`, such as `EADDRINUSE`. */
export interface ListenError extends NodeJS.ErrnoException {
  port?: number;
  address?: string;
  /** The name of the variable that set the port. */
  variable?: string;
}

/**
 * Resolves to the address on this machine: `http://localhost:8000`. Rejects with a `ListenError`. `variable`: the name of the
 * one that set the port.
 */
export function listen(
  { server, tls }: HttpServer,
  { HOST: host, PORT: port }: Config,
  variable = "PORT",
): Promise<string> {
  const scheme = tls === undefined ? "http" : "https";
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(Object.assign(error, { variable }));
    server.once("error", fail);
    server.listen(port, host, () => {
      server.off("error", fail);
      resolve(`${scheme}://${localNameOf(host)}:${(server.address() as AddressInfo).port}`);
    });
  });
}

function localNameOf(host: string): string {
  if (["127.0.0.1", "::1", "0.0.0.0", "::"].includes(host)) return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** Accepts no more connections, lets the transports close theirs, and answers the calls in progress. */
export async function closeServer(
  { server, tls }: HttpServer,
  transports: readonly Transport[],
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await Promise.all(transports.map((transport) => transport.close()));
  const cutOff = setTimeout(() => {
    server.closeAllConnections();
    tls?.destroyConnections();
  }, LAST_ANSWERS_MS);
  await closed;
  clearTimeout(cutOff);
}
