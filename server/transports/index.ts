/** The registry of transports, a line each. The last one serves every path that no other one does. */
import type { Transport, TransportContext } from "./contract.ts";
import { createHttpTransport, type HttpOptions } from "./http/transport.ts";
import { type ClusterOptions, openCluster } from "./socketio/cluster.ts";
import { createSocketioTransport } from "./socketio/transport.ts";
import { createTrpcTransport } from "./trpc/transport.ts";

export interface TransportSettings {
  http: HttpOptions;
  /** `cluster`: where there are several gateways. */
  socketio: { allowEio3: boolean; cluster: ClusterOptions | undefined };
}

type CreateTransport = (context: TransportContext, settings: TransportSettings) => Transport;

const http: CreateTransport = (_context, settings) => createHttpTransport(settings.http);

export const TRANSPORTS: readonly CreateTransport[] = [
  (context) => createTrpcTransport(context),
  (context, { socketio: { allowEio3, cluster } }) =>
    createSocketioTransport(context, { allowEio3, cluster: cluster && openCluster(cluster) }),
  http,
];

/** For a process that runs jobs and has no clients: it answers health checks. */
export const PROBES: readonly CreateTransport[] = [http];
