/** The requests of one tRPC WebSocket, each from its message to its last answer. */
import {
  type AnyTRPCRouter,
  callTRPCProcedure,
  getTRPCErrorFromUnknown,
  TRPCError,
} from "@trpc/server";
import { isObservable, observableToAsyncIterable } from "@trpc/server/observable";
import type { TRPCClientOutgoingMessage } from "@trpc/server/rpc";
import type { Watch } from "#server/streams/open.ts";
import type { Behind } from "#server/transports/behind.ts";
import { toTRPCError } from "./errors.ts";
import { Relay } from "./relay.ts";
import type { Wire } from "#server/transports/wires.ts";
import type { FrameOf } from "./entry-frames.ts";
import { dispose, iterate } from "./iterate.ts";
import { type Address, beforeResult, type Call, NO_CALL, type Responses } from "./ws-responses.ts";

export interface Requests {
  /** Resolves when the request was answered, or its subscription began. Never rejects. */
  handle(message: TRPCClientOutgoingMessage, batchIndex: number): Promise<void>;
  /** The client is gone. */
  leave(): void;
}

/** What requests need of their connection. */
export interface Peer {
  router: AnyTRPCRouter;
  responses: Responses;
  frameOf: FrameOf;
  wire: Wire;
  behind: Behind;
  isOpen(): boolean;
  /** Dropped where the connection is closing. */
  send(text: string): void;
  /** Resolves when there is room for more, or nobody to send it to. */
  untilRoom(): Promise<void>;
  /** Rejects where none could be made. */
  context(): Promise<unknown>;
  /** Tells the log. Never throws. */
  report(error: TRPCError, call: Call): void;
  /** An error as its client is told it. */
  describe(to: Address, error: TRPCError, call: Call): string;
}

/** A subscription that has not ended. */
interface Active {
  /** Its client wants no more of it, and is told when it has ended. */
  stop(): void;
  /** Its client is gone. */
  leave(): void;
}

type Subscription = Address & { id: number | string };

export function createRequests(peer: Peer): Requests {
  const { responses, wire, behind } = peer;
  const active = new Map<number | string, Active>();

  function report(cause: unknown, call: Call): TRPCError {
    const error = getTRPCErrorFromUnknown(cause);
    peer.report(error, call);
    return error;
  }

  function refuse(to: Address, call: Call, cause: unknown): void {
    peer.send(peer.describe(to, report(cause, call), call));
  }

  /** The id is free again before the client is told so. */
  function end(to: Subscription, call: Call, reason?: { cause: unknown }): void {
    active.delete(to.id);
    if (reason !== undefined) refuse(to, call, reason.cause);
    peer.send(responses.result(to, { type: "stopped" }));
  }

  const run = (call: Call, batchIndex: number, signal: AbortSignal, ctx: unknown) =>
    callTRPCProcedure({
      router: peer.router,
      path: call.path ?? "",
      getRawInput: async () => call.input,
      ctx,
      type: call.type as "query",
      signal,
      batchIndex,
    }) as Promise<unknown>;

  async function answer(to: Address, call: Call, batchIndex: number): Promise<void> {
    try {
      const context = await peer.context();
      const result = await run(call, batchIndex, new AbortController().signal, context);
      if (isIterable(result)) {
        throw new TRPCError({
          code: "UNSUPPORTED_MEDIA_TYPE",
          message: `Cannot return an async iterable or observable from a ${call.type} procedure with WebSockets`,
        });
      }
      peer.send(responses.result(to, { type: "data", data: result }));
    } catch (cause) {
      refuse(to, call, cause);
    }
  }

  async function subscribe(to: Subscription, call: Call, batchIndex: number): Promise<void> {
    if (active.has(to.id)) {
      const message = `Duplicate id ${to.id}`;
      return refuse(to, call, new TRPCError({ code: "BAD_REQUEST", message }));
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
    // A stop or a disconnect while the procedure is called cancels it.
    active.set(to.id, { stop: abort, leave: abort });
    try {
      const context = await peer.context();
      if (!isWanted()) return end(to, call);
      const result = await run(call, batchIndex, signal, context);
      if (!isIterable(result)) {
        throw new TRPCError({
          code: "INTERNAL_SERVER_ERROR",
          message: `Subscription ${call.path} did not return an observable or a AsyncGenerator`,
        });
      }
      if (!isWanted()) {
        // Turned into an iterable, an observable would begin.
        if (!isObservable(result)) await dispose(result).catch((cause) => report(cause, call));
        return end(to, call);
      }
      peer.send(responses.result(to, { type: "started" }));
      if (result instanceof Relay) return await push(to, call, result);
      const iterable = isObservable(result) ? observableToAsyncIterable(result, signal) : result;
      void iterate(iterable, {
        signal,
        abort,
        untilRoom: () => peer.untilRoom(),
        next: (value) => peer.send(responses.value(to, value)),
        late: (cause) => void report(cause, call),
      }).then(
        () => end(to, call),
        (cause: unknown) => end(to, call, { cause }),
      );
    } catch (cause) {
      // Who gives up because nobody wants the result any more did not fail.
      if (signal.aborted && isAbort(cause)) return end(to, call);
      active.delete(to.id);
      refuse(to, call, cause);
    }
  }

  /** Our own streams: no promise, no timer and no queue from here on. */
  async function push(to: Subscription, call: Call, relay: Relay<unknown>): Promise<void> {
    let watch: Watch | undefined;
    let isWanted = true;
    const leave = () => {
      isWanted = false;
      if (watch === undefined) return;
      watch.stop();
      behind.delete(watch);
    };
    const stop = () => {
      leave();
      end(to, call);
    };
    active.set(to.id, { stop, leave });
    try {
      const stream = await relay.open();
      if (!isWanted) return;
      const head = beforeResult(to);
      const opened = stream.pipe({
        push(entry) {
          if (!wire.hasRoom()) {
            behind.add(opened);
            return false;
          }
          wire.write(peer.frameOf(entry, head));
          return true;
        },
        end: (reason) => end(to, call, reason && { cause: toTRPCError(reason) }),
      });
      watch = opened;
    } catch (cause) {
      if (isWanted) end(to, call, { cause: toTRPCError(cause) });
    }
  }

  return {
    async handle(message, batchIndex) {
      const { id, jsonrpc } = message;
      if (id === null) {
        const error = new TRPCError({ code: "PARSE_ERROR", message: "`id` is required" });
        return refuse({ id, jsonrpc }, NO_CALL, error);
      }
      if (message.method === "subscription.stop") return active.get(id)?.stop();
      const { path, input, lastEventId } = message.params;
      const call = { type: message.method, path, input: withCursor(input, lastEventId) };
      const to = { id, jsonrpc };
      return call.type === "subscription"
        ? subscribe(to, call, batchIndex)
        : answer(to, call, batchIndex);
    },
    leave() {
      for (const each of active.values()) each.leave();
      active.clear();
    },
  };
}

/** Where a client resumes, as part of the input: that is how procedures see it on every transport. */
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

function isAbort(cause: unknown): boolean {
  const { cause: inner } = getTRPCErrorFromUnknown(cause);
  return inner?.name === "AbortError";
}
