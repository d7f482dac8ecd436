/** One legacy connection: its requests, and the answers under the older system's names. */
import type { Socket } from "socket.io";
import type { TransportContext } from "#server/transports/contract.ts";
import type { Wires } from "#server/transports/wires.ts";
import type { AppError } from "#shared/errors.ts";
import {
  LEGACY,
  type LegacyAnswer,
  type LegacyConnection,
  type LegacyIds,
  legacyOfBatch,
  legacyOfJob,
  type LegacySubscriptionError,
} from "#shared/legacy.ts";
import type { Principal } from "#shared/principal.ts";
import { toLegacyError } from "./errors.ts";
import { openOutlet } from "./outlet.ts";
import { createEncoder } from "./packet.ts";
import { readRequest, type Request } from "./request.ts";
import { createSubscriptions } from "./subscriptions.ts";

type Ack = (answer: LegacyAnswer) => void;

/** Gives what serves each connection. They share what is serialised, and what is flushed. */
export function createConnections(
  { streams, backpressure, log }: Pick<TransportContext, "streams" | "backpressure" | "log">,
  wires: Wires,
) {
  const jobEncoder = createEncoder(legacyOfJob);
  const batchEncoder = createEncoder(legacyOfBatch);

  return function serveConnection(socket: Socket, principal: Principal): void {
    const outlet = openOutlet(socket.conn, {
      wires,
      highWaterBytes: backpressure.highWaterBytes,
      onRoom: () => subscriptions.resume(),
    });
    const subscriptions = createSubscriptions(outlet);

    function subscribe({ stream, id, ids }: Request): Promise<void> {
      const hooks = {
        started: () => socket.emit(LEGACY.subscribed, ids),
        failed: (reason: AppError) => fail(reason, ids),
      };
      const follow = { follow: true };
      return stream === "job"
        ? subscriptions.add(`job:${id}`, {
            open: () => streams.job(principal, id, follow),
            encoder: jobEncoder,
            ...hooks,
          })
        : subscriptions.add(`batch:${id}`, {
            open: () => streams.batch(principal, id, follow),
            encoder: batchEncoder,
            ...hooks,
          });
    }

    function fail(error: unknown, ids: LegacyIds): LegacyAnswer {
      const answer = toLegacyError(error);
      if (answer.code === "INTERNAL") log.error({ err: error, ...ids }, "A subscription failed");
      const payload: LegacySubscriptionError = { ...answer, ...ids };
      socket.emit(LEGACY.subscriptionError, payload);
      return { ok: false, error: answer };
    }

    async function answer(name: unknown, payload: unknown): Promise<LegacyAnswer> {
      let ids: LegacyIds = {};
      try {
        const request = readRequest(name, payload);
        ids = request.ids;
        if (request.action === "subscribe") await subscribe(request);
        else subscriptions.remove(`${request.stream}:${request.id}`);
        return { ok: true };
      } catch (error) {
        return fail(error, ids);
      }
    }

    socket.onAny((name: unknown, ...args: unknown[]) => {
      // What came in one message with a disconnect is still handed out after it.
      if (!socket.connected) return;
      const ack = typeof args.at(-1) === "function" ? (args.pop() as Ack) : undefined;
      void answer(name, args[0]).then(ack);
    });
    socket.on("disconnect", () => {
      subscriptions.removeAll();
      outlet.close();
    });
    const greeting: LegacyConnection = { connected: true, session_id: socket.id };
    socket.emit(LEGACY.connection, greeting);
  };
}
