/** One legacy connection: its requests, and the answers under the older system's names. */
import type { Socket } from "socket.io";
import type { TransportContext } from "#server/transports/contract.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import type { AppError } from "#shared/errors.ts";
import type { JobEvent } from "#shared/events.ts";
import { isSettled } from "#shared/job.ts";
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
import { outletOf } from "./outlet.ts";
import { createEncoder, type Encoder } from "./packet.ts";
import { readRequest, type Request } from "./request.ts";
import { Subscriptions } from "./subscriptions.ts";

type Ack = (answer: LegacyAnswer) => void;

/** Gives what serves each connection. They share what is serialised, and what is flushed. */
export function createConnections({ streams, log }: Pick<TransportContext, "streams" | "log">) {
  const shared: Shared = {
    streams,
    log,
    jobs: createEncoder(legacyOfJob, ({ status, seq }) => (isSettled(status) ? seq : undefined)),
    batches: createEncoder(legacyOfBatch),
  };
  return function serveConnection(socket: Socket, principal: Principal): void {
    new Client(socket, principal, shared).greet();
  };
}

interface Shared extends Pick<TransportContext, "streams" | "log"> {
  jobs: Encoder<JobEvent>;
  batches: Encoder<BatchAggregate>;
}

/** A class, because there are many, and most of them wait. */
class Client {
  readonly #socket: Socket;
  readonly #principal: Principal;
  readonly #shared: Shared;
  readonly #subscriptions: Subscriptions;

  constructor(socket: Socket, principal: Principal, shared: Shared) {
    this.#socket = socket;
    this.#principal = principal;
    this.#shared = shared;
    const outlet = outletOf(socket.conn);
    const subscriptions = new Subscriptions(outlet);
    this.#subscriptions = subscriptions;
    const stopListening = outlet.onRoom(() => subscriptions.resume());
    socket.onAny((name: unknown, ...args: unknown[]) => {
      // What came in one message with a disconnect is still handed out after it.
      if (!socket.connected) return;
      const ack = typeof args.at(-1) === "function" ? (args.pop() as Ack) : undefined;
      void this.#answer(name, args[0]).then(ack);
    });
    socket.on("disconnect", () => {
      subscriptions.removeAll();
      stopListening();
    });
  }

  greet(): void {
    const greeting: LegacyConnection = { connected: true, session_id: this.#socket.id };
    this.#socket.emit(LEGACY.connection, greeting);
  }

  async #answer(name: unknown, payload: unknown): Promise<LegacyAnswer> {
    let ids: LegacyIds = {};
    try {
      const request = readRequest(name, payload);
      ids = request.ids;
      if (request.action === "subscribe") await this.#subscribe(request);
      else this.#subscriptions.remove(`${request.stream}:${request.id}`);
      return { ok: true };
    } catch (error) {
      return this.#fail(error, ids);
    }
  }

  #subscribe({ stream, id, ids }: Request): Promise<void> {
    const { streams, jobs, batches } = this.#shared;
    const principal = this.#principal;
    const hooks = {
      started: () => this.#socket.emit(LEGACY.subscribed, ids),
      failed: (reason: AppError) => this.#fail(reason, ids),
    };
    const follow = { follow: true };
    return stream === "job"
      ? this.#subscriptions.add(`job:${id}`, {
          open: () => streams.job(principal, id, follow),
          encoder: jobs,
          ...hooks,
        })
      : this.#subscriptions.add(`batch:${id}`, {
          open: () => streams.batch(principal, id, follow),
          encoder: batches,
          ...hooks,
        });
  }

  #fail(error: unknown, ids: LegacyIds): LegacyAnswer {
    const answer = toLegacyError(error);
    if (answer.code === "INTERNAL") {
      this.#shared.log.error({ err: error, ...ids }, "A subscription failed");
    }
    const payload: LegacySubscriptionError = { ...answer, ...ids };
    this.#socket.emit(LEGACY.subscriptionError, payload);
    return { ok: false, error: answer };
  }
}
