/** Handles the requests of one tRPC WebSocket, each from its message to its last answer. */
import {
  type AnyTRPCRouter,
  callTRPCProcedure,
  getTRPCErrorFromUnknown,
  TRPCError,
} from "@trpc/server";
import { isObservable, observableToAsyncIterable } from "@trpc/server/observable";
import type { TRPCClientOutgoingMessage } from "@trpc/server/rpc";
import type { Release } from "#server/limits/open.ts";
import {
  MAX_SUBSCRIPTIONS,
  tooManySubscriptions,
} from "#server/transports/limits/subscription-limit.ts";
import { SmallMap } from "#server/transports/sockets/small-map.ts";
import { toTRPCError } from "./errors.ts";
import { dispose, iterate } from "./iterate.ts";
import { Relay } from "./relay.ts";
import type { Address, Payload } from "./ws-format.ts";
import { type Call, NO_CALL } from "./ws-responses.ts";
import {
  Subscription,
  type SubscriptionAddress,
  type SubscriptionPeer,
} from "./ws-subscription.ts";

/** The parts of a connection that requests use. */
export interface Peer extends SubscriptionPeer {
  readonly router: AnyTRPCRouter;
  isOpen(): boolean;
  /** Drops the payload if the connection is closing. */
  send(payload: Payload): void;
  /** Resolves when the writer is no longer full, or the connection is closing. */
  untilDrain(): Promise<void>;
  /** Rejects if the context could not be created. */
  context(): Promise<unknown>;
  /**
   * Resolves to the error of a call that is known to be refused: tRPC's own way to it costs about twice as much. `undefined`: it
   * is not known.
   */
  refusedCall(context: unknown): Promise<TRPCError> | undefined;
  /** Counts a subscription. Rejects if the caller may have no further one. `undefined`: it is not limited. */
  openSubscription(context: unknown): Promise<Release> | undefined;
  /** Logs an error. Never throws. */
  report(error: TRPCError, call: Call): void;
  /** Encodes an error for the client. */
  describe(to: Address, error: TRPCError, call: Call): Payload;
}

/** A subscription that has not ended. */
interface Active {
  /** The client unsubscribes. It receives a message once the subscription has ended. */
  stop(): void;
  /** The client has disconnected. */
  leave(): void;
}

export class Requests {
  readonly peer: Peer;
  readonly #active = new SmallMap<number | string, Active>();
  /** What counts the subscriptions off. Absent while none is limited. */
  #counted: Map<number | string, Release> | undefined;

  constructor(peer: Peer) {
    this.peer = peer;
  }

  /** Resolves when the request is answered or its subscription has begun. Never rejects. */
  async handle(message: TRPCClientOutgoingMessage, batchIndex: number): Promise<void> {
    const { id, jsonrpc } = message;
    if (id === null) {
      const error = new TRPCError({ code: "PARSE_ERROR", message: "`id` is required" });
      return this.#refuse({ id, jsonrpc }, NO_CALL, error);
    }
    if (message.method === "subscription.stop") return this.#active.get(id)?.stop();
    const { path, input, lastEventId } = message.params;
    const call = { type: message.method, path, input: withCursor(input, lastEventId) };
    const to = { id, jsonrpc };
    return call.type === "subscription"
      ? this.#subscribe(to, call, batchIndex)
      : this.#answer(to, call, batchIndex);
  }

  /** Answers a request with `cause` instead of handling it. */
  refuse({ id, jsonrpc, ...message }: TRPCClientOutgoingMessage, cause: TRPCError): void {
    const path = message.method === "subscription.stop" ? undefined : message.params.path;
    this.#refuse({ id, jsonrpc }, { type: "unknown", path, input: undefined }, cause);
  }

  /** The client has disconnected. */
  leave(): void {
    for (const each of this.#active.values()) each.leave();
    for (const release of this.#counted?.values() ?? []) release();
    this.#counted = undefined;
  }

  /** Frees the id before the client is told, so that the client can reuse it at once. */
  end(to: SubscriptionAddress, call: Call, reason?: { cause: unknown }): void {
    this.#forget(to.id);
    if (reason !== undefined) this.#refuse(to, call, reason.cause);
    this.peer.send(this.peer.encoding.responses.result(to, { type: "stopped" }));
  }

  async #count(id: number | string, context: unknown): Promise<void> {
    let release: Release | undefined;
    try {
      release = await this.peer.openSubscription(context);
    } catch (error) {
      throw toTRPCError(error);
    }
    if (release === undefined) return;
    if (this.peer.isOpen()) (this.#counted ??= new Map()).set(id, release);
    else release();
  }

  #forget(id: number | string): void {
    this.#active.delete(id);
    this.#counted?.get(id)?.();
    this.#counted?.delete(id);
  }

  #report(cause: unknown, call: Call): TRPCError {
    const error = getTRPCErrorFromUnknown(cause);
    this.peer.report(error, call);
    return error;
  }

  #refuse(to: Address, call: Call, cause: unknown): void {
    this.peer.send(this.peer.describe(to, this.#report(cause, call), call));
  }

  #run(call: Call, batchIndex: number, signal: AbortSignal, ctx: unknown): Promise<unknown> {
    return callTRPCProcedure({
      router: this.peer.router,
      path: call.path ?? "",
      getRawInput: async () => call.input,
      ctx,
      type: call.type as "query",
      signal,
      batchIndex,
    }) as Promise<unknown>;
  }

  async #answer(to: Address, call: Call, batchIndex: number): Promise<void> {
    const { peer } = this;
    try {
      const context = await peer.context();
      const refused = peer.refusedCall(context);
      if (refused !== undefined) throw await refused;
      const result = await this.#run(call, batchIndex, new AbortController().signal, context);
      if (isIterable(result)) {
        throw new TRPCError({
          code: "UNSUPPORTED_MEDIA_TYPE",
          message: `Cannot return an async iterable or observable from a ${call.type} procedure with WebSockets`,
        });
      }
      peer.send(peer.encoding.responses.result(to, { type: "data", data: result }));
    } catch (cause) {
      this.#refuse(to, call, cause);
    }
  }

  async #subscribe(to: SubscriptionAddress, call: Call, batchIndex: number): Promise<void> {
    const { peer } = this;
    if (this.#active.get(to.id) !== undefined) {
      const message = `Duplicate id ${to.id}`;
      return this.#refuse(to, call, new TRPCError({ code: "BAD_REQUEST", message }));
    }
    if (this.#active.size >= MAX_SUBSCRIPTIONS) {
      return this.#refuse(to, call, toTRPCError(tooManySubscriptions()));
    }
    const controller = new AbortController();
    const { signal } = controller;
    const abort = () => {
      if (!signal.aborted) controller.abort();
    };
    const isWanted = () => {
      if (!peer.isOpen()) abort();
      return !signal.aborted;
    };
    // A stop or a disconnect during the call of the procedure aborts it.
    this.#active.set(to.id, { stop: abort, leave: abort });
    let context: unknown;
    try {
      context = await peer.context();
      const refused = peer.refusedCall(context);
      if (refused !== undefined) throw await refused;
      await this.#count(to.id, context);
      if (!isWanted()) return this.end(to, call);
      const result = await this.#run(call, batchIndex, signal, context);
      if (!isIterable(result)) {
        throw new TRPCError({
          code: "INTERNAL_SERVER_ERROR",
          message: `Subscription ${call.path} did not return an observable or a AsyncGenerator`,
        });
      }
      if (!isWanted()) {
        // Converting an observable to an iterable would start it.
        if (!isObservable(result)) {
          await dispose(result).catch((cause) => this.#report(cause, call));
        }
        return this.end(to, call);
      }
      peer.send(peer.encoding.responses.result(to, { type: "started" }));
      if (result instanceof Relay) {
        const subscription = new Subscription(this, to, call.path);
        this.#active.set(to.id, subscription);
        return await subscription.begin(result);
      }
      const iterable = isObservable(result) ? observableToAsyncIterable(result, signal) : result;
      void iterate(iterable, {
        signal,
        abort,
        untilDrain: () => peer.untilDrain(),
        next: (value) => peer.send(peer.encoding.responses.value(to, value)),
        late: (cause) => void this.#report(cause, call),
      }).then(
        () => this.end(to, call),
        (cause: unknown) => this.end(to, call, { cause }),
      );
    } catch (cause) {
      // A procedure that rejects because it was aborted did not fail.
      if (signal.aborted && isAbort(cause)) return this.end(to, call);
      this.#forget(to.id);
      // The connection is about to close. The client repeats the request on its next one, unless an error answered it.
      if (context === undefined && isPassing(cause)) return;
      this.#refuse(to, call, cause);
    }
  }
}

/** Puts the client's cursor into the input, where procedures expect it on every transport. */
function withCursor(input: unknown, lastEventId: string | undefined): unknown {
  if (lastEventId === undefined) return input;
  if (typeof input === "object" && input !== null && !Array.isArray(input)) {
    return { ...input, lastEventId };
  }
  return input ?? { lastEventId };
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    isObservable(value) ||
    (typeof value === "object" && value !== null && Symbol.asyncIterator in value)
  );
}

/** True for errors after which the client is to connect again. */
export function isPassing(cause: unknown): boolean {
  const code = cause instanceof TRPCError ? cause.code : undefined;
  return code === "SERVICE_UNAVAILABLE" || code === "TOO_MANY_REQUESTS";
}

function isAbort(cause: unknown): boolean {
  const { cause: inner } = getTRPCErrorFromUnknown(cause);
  return inner?.name === "AbortError";
}
