/** The parts that all connections of a tRPC WebSocket server share. */
import type { AnyTRPCRouter, TRPCError } from "@trpc/server";
import type { CreateWSSContextFnOptions } from "@trpc/server/adapters/ws";
import type { Release } from "#server/limits/open.ts";
import type { SocketWriters } from "#server/transports/sockets/socket-writer.ts";
import type { SentCounts } from "#server/transports/usage.ts";
import type { LastingConnection } from "./context.ts";
import type { Encodings } from "./ws-encoding.ts";
import type { LifetimeOptions } from "./ws-lifetime.ts";
import type { Call } from "./ws-responses.ts";

export type CreateConnectionContext = (
  options: CreateWSSContextFnOptions,
  connection: LastingConnection,
) => unknown;

/** The parts that all connections share. `C`: the connection. */
export interface ConnectionContext<C> extends LifetimeOptions {
  router: AnyTRPCRouter;
  createContext: CreateConnectionContext;
  /** Returns the error that answers each call of a caller that is not known. `undefined`: it is known. */
  strangersError(context: unknown): TRPCError | undefined;
  /** Resolves to the error of a call that is known to be refused. `undefined`: it is not known. */
  refusedCall(context: unknown): Promise<TRPCError> | undefined;
  /** Counts a subscription. Rejects if the caller may have no further one. `undefined`: it is not limited. */
  openSubscription(context: unknown): Promise<Release> | undefined;
  encodings: Encodings;
  writers: SocketWriters;
  /** Of all connections. */
  sent: SentCounts;
  /** Never throws. */
  report(error: TRPCError, call: Call, context: unknown): void;
  /** Never throws. */
  broken(error: TRPCError, context: unknown): void;
  closed(connection: C): void;
}
