/** The http server below all transports: its limits, its address and its shutdown. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { limitConnections } from "./transports/connection-limit.ts";
import type { Transport } from "./transports/contract.ts";
import { HEAD_OPTIONS } from "./transports/head-limit.ts";
import { createKeepAlive, type KeepAlive } from "./transports/keep-alive.ts";
import { requestTimeouts } from "./transports/request-timeouts.ts";
import { closeStalledResponses } from "./transports/stalled-responses.ts";

/** How long calls in progress at a shutdown may still take. */
const LAST_ANSWERS_MS = 2000;

/** Longer than proxies keep idle connections (mostly 60 s): if the server closed first, a request could be lost. */
const KEEP_ALIVE_MS = 65_000;

/** Creates the server, which does not listen yet. */
export function createHttpServer(
  config: Config,
  log: Logger,
): { server: Server; keepAlive: KeepAlive } {
  const server = createServer({
    // A client that offers another protocol (such as curl with HTTP/2) gets an answer in plain HTTP.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    keepAliveTimeout: KEEP_ALIVE_MS,
    ...requestTimeouts(config.REQUEST_TIMEOUT_MS),
    ...HEAD_OPTIONS,
    // `mountTransports` checks the header: `pipelining.ts` would not count Node's own answer to a request without it.
    requireHostHeader: false,
  });
  const keepAlive = createKeepAlive(server);
  limitConnections(server, config.MAX_CONNECTIONS, log);
  closeStalledResponses(server, config.STALL_TIMEOUT_MS, ({ remoteAddress }) =>
    log.debug({ remoteAddress }, "A client did not read its answer and was disconnected"),
  );
  return { server, keepAlive };
}

/** Resolves to the address on this machine: `http://localhost:8000`. Rejects with `listen`'s errors, such as `EADDRINUSE`. */
export function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve(`http://${localNameOf(host)}:${(server.address() as AddressInfo).port}`);
    });
  });
}

function localNameOf(host: string): string {
  if (["127.0.0.1", "::1", "0.0.0.0", "::"].includes(host)) return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** Accepts no more connections, lets the transports close theirs, and answers the calls in progress. */
export async function closeServer(server: Server, transports: readonly Transport[]): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await Promise.all(transports.map((transport) => transport.close()));
  const cutOff = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS);
  await closed;
  clearTimeout(cutOff);
}
