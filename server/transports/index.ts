/** The transports of this server, a line each. The last one serves what no other does. */
import type { Transport, TransportContext } from "./contract.ts";
import { createHttpTransport, type HttpOptions } from "./http/transport.ts";
import { createSocketioTransport, type SocketioOptions } from "./socketio/transport.ts";
import { createTrpcTransport } from "./trpc/transport.ts";

/** Of a process that runs jobs and has no clients: it can still be asked how it is. */
export function createProbes(options: HttpOptions): Transport[] {
  return [createHttpTransport(options)];
}

export function createTransports(
  context: TransportContext,
  options: { http: HttpOptions; socketio: SocketioOptions },
): Transport[] {
  return [
    createTrpcTransport(context),
    createSocketioTransport(context, options.socketio),
    createHttpTransport(options.http),
  ];
}
