/** The registry of transports, a line each. The last one serves every path that no other transport serves. */
import { API } from "./api/match.ts";
import { PROBLEM_TYPE } from "./api/problem.ts";
import { createApiTransport, refusalOfApi } from "./api/transport.ts";
import { createAuthTransport } from "./auth/transport.ts";
import type { Transport, TransportContext } from "./contract.ts";
import { createHttpTransport, type HttpOptions } from "./http/transport.ts";
import { type BroadcastOptions, openBroadcastAdapter } from "./socketio/broadcast-adapter.ts";
import { createSocketioTransport } from "./socketio/transport.ts";
import type { OwnProcedures } from "./trpc/own-procedures.ts";
import { refusalOf } from "./trpc/refusal.ts";
import { createTrpcTransport } from "./trpc/transport.ts";
import type { Encoder } from "./unavailable.ts";

export { createMetricsTransport } from "./http/metrics.ts";
export type { Expose } from "./http/responses.ts";
export type { OwnProcedures } from "./trpc/own-procedures.ts";

export interface TransportSettings {
  http: Omit<HttpOptions, "identify" | "limits">;
  /** Of the program that the server runs in. */
  trpc: { procedures: OwnProcedures | undefined };
  /** `broadcast`: present if there are several gateways. */
  socketio: { allowEio3: boolean; broadcast: BroadcastOptions | undefined };
}

/** Returns `undefined` for a transport that this server does not have. */
type CreateTransport = (
  context: TransportContext,
  settings: TransportSettings,
) => Transport | undefined;

const http: CreateTransport = ({ identify, limits }, settings) =>
  createHttpTransport({ ...settings.http, identify, limits });

export const TRANSPORTS: readonly CreateTransport[] = [
  (context, { trpc }) => createTrpcTransport(context, trpc.procedures),
  (context, { socketio: { allowEio3, broadcast } }) =>
    createSocketioTransport(context, {
      allowEio3,
      broadcast: broadcast && openBroadcastAdapter(broadcast),
    }),
  (context) => context.signIns && createAuthTransport(context, context.signIns),
  (context, settings) => createApiTransport(context, settings.http.basePath),
  http,
];

/** For a worker, which has no clients and answers only health checks. */
export const PROBES: readonly CreateTransport[] = [http];

/** How the clients of each transport read that the server cannot answer. `config`: that of a tRPC router. */
export function encodersOfRefusals(
  config: Parameters<typeof refusalOf>[0],
  basePath: string,
): Encoder[] {
  return [
    { path: "/trpc", type: "application/json", encode: refusalOf.bind(undefined, config) },
    {
      path: API,
      type: PROBLEM_TYPE,
      encode: (status, message, retryAfterMs) =>
        refusalOfApi(basePath, { status, message, retryAfterMs }),
    },
  ];
}
