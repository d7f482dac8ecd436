/** The server's own TLS: https and wss below all transports. */
import type { Server, ServerOptions } from "node:http";
import { createServer } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { checkKeyPair, type KeyPair, SECURE_OPTIONS } from "./key-pair.ts";
import { readPemFiles } from "./pem-files.ts";
import { startReload } from "./reload.ts";
import type { KeyPairFiles } from "./variables.ts";

/** Node's own limit is two minutes, in which silent clients could hold all connections. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface Tls {
  /** Creates the https server, which reloads the pair while it listens. Call it once. */
  createServer(options: ServerOptions): Server;
  /** Destroys all connections of the server, also those that have not finished their handshake. */
  destroyConnections(): void;
}

/** `problems`: the files cannot be used; a line each, with the variable and the file. */
export async function openTls(
  files: KeyPairFiles,
  log: Pick<Logger, "info" | "warn" | "debug">,
  handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS,
): Promise<Tls | { problems: readonly string[] }> {
  const pem = await readPemFiles(files);
  const checked = checkKeyPair(pem, files);
  if ("problems" in checked) return checked;
  const { pair } = checked;
  const connections = new Set<Socket>();
  // One listener for all sockets: a closure for each takes memory.
  function forget(this: Socket): void {
    connections.delete(this);
  }

  return {
    createServer(options) {
      const server = createServer({
        ...options,
        ...optionsOf(pair),
        handshakeTimeout: handshakeTimeoutMs,
      });
      server.on("connection", (socket) => {
        connections.add(socket);
        socket.on("close", forget);
      });
      // Before Node's own listener, which would treat the error as a malformed request: an answer to a client without
      // TLS would wait for ever.
      server.prependListener(
        "tlsClientError",
        ({ code }: NodeJS.ErrnoException, socket: TLSSocket) => {
          log.debug({ code, remoteAddress: socket.remoteAddress }, "A TLS handshake failed");
          socket.destroy();
        },
      );
      const use = (next: KeyPair) => server.setSecureContext(optionsOf(next));
      server.once("listening", () => {
        server.once("close", startReload({ files, inUse: { pair, pem }, use, log }));
      });
      return server;
    },
    destroyConnections() {
      for (const socket of connections) socket.destroy();
    },
  };
}

function optionsOf({ cert, key }: KeyPair) {
  return { ...SECURE_OPTIONS, cert, key };
}
