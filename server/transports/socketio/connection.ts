/** One legacy connection: its requests, and the answers under the older system's names. */
import type { Socket } from "socket.io";
import type { z } from "zod";
import type { TransportContext } from "#server/transports/contract.ts";
import { AppError } from "#shared/errors.ts";
import {
  LEGACY,
  LEGACY_REQUEST,
  LegacyBatchRequest,
  LegacyJobRequest,
  legacyOfBatch,
  legacyOfJob,
  type LegacyRequestName,
} from "#shared/legacy.ts";
import type { Principal } from "#shared/principal.ts";
import { toLegacyError } from "./errors.ts";
import { createSubscriptions } from "./subscriptions.ts";

type Ack = (answer: { ok: boolean; error?: { code: string; message: string } }) => void;

export function serveConnection(
  socket: Socket,
  principal: Principal,
  { streams, log }: Pick<TransportContext, "streams" | "log">,
): void {
  const subscriptions = createSubscriptions();

  function fail(error: unknown, ids: object, ack?: Ack): void {
    const answer = toLegacyError(error);
    if (answer.code === "INTERNAL") log.error({ err: error }, "A subscription failed");
    socket.emit(LEGACY.subscriptionError, { ...answer, ...ids });
    ack?.({ ok: false, error: answer });
  }

  /** Calls `serve` with what the client sent, once it is known to be what it should be. */
  function onRequest<T extends object>(
    name: LegacyRequestName,
    schema: z.ZodObject & z.ZodType<T>,
    serve: (request: T) => Promise<void> | void,
  ): void {
    socket.on(name, async (...args: unknown[]) => {
      const last = args.at(-1);
      const ack = typeof last === "function" ? (last as Ack) : undefined;
      const [payload] = args;
      const parsed = schema.safeParse(typeof payload === "function" ? undefined : payload);
      if (!parsed.success) {
        const [id] = Object.keys(schema.shape);
        const message = `${name} takes an object with a text of 1 to 200 characters in "${id}".`;
        return fail(new AppError("BAD_REQUEST", message), {}, ack);
      }
      try {
        await serve(parsed.data);
        ack?.({ ok: true });
      } catch (error) {
        fail(error, parsed.data, ack);
      }
    });
  }

  onRequest(LEGACY_REQUEST.subscribeJob, LegacyJobRequest, (request) =>
    subscriptions.add(`job:${request.job_id}`, {
      open: () => streams.job(principal, request.job_id, { follow: true }),
      started: () => socket.emit(LEGACY.subscribed, request),
      toLegacy: legacyOfJob,
      send: ({ name, payload }) => socket.emit(name, payload),
      failed: (reason) => fail(reason, request),
    }),
  );
  onRequest(LEGACY_REQUEST.unsubscribeJob, LegacyJobRequest, ({ job_id }) =>
    subscriptions.remove(`job:${job_id}`),
  );
  onRequest(LEGACY_REQUEST.subscribeBatch, LegacyBatchRequest, (request) =>
    subscriptions.add(`batch:${request.batch_id}`, {
      open: () => streams.batch(principal, request.batch_id, { follow: true }),
      started: () => socket.emit(LEGACY.subscribed, request),
      toLegacy: legacyOfBatch,
      send: ({ name, payload }) => socket.emit(name, payload),
      failed: (reason) => fail(reason, request),
    }),
  );
  onRequest(LEGACY_REQUEST.unsubscribeBatch, LegacyBatchRequest, ({ batch_id }) =>
    subscriptions.remove(`batch:${batch_id}`),
  );

  socket.on("disconnect", () => subscriptions.removeAll());
  socket.emit(LEGACY.connection, { connected: true, session_id: socket.id });
}
