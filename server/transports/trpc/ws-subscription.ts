/**
 * A subscription of a tRPC WebSocket to one of our own streams. Once begun, it holds no promise, timer or queue. It keeps
 * little of its request: the error of a stream that fails later names the path without the input.
 */
import type { Entry } from "#server/streams/open.ts";
import type { Chunk } from "#server/transports/sockets/chunks.ts";
import type { Compression } from "#server/transports/sockets/compression.ts";
import type { SocketWriter } from "#server/transports/sockets/socket-writer.ts";
import {
  type SinkConnection,
  SubscriptionSink,
} from "#server/transports/sockets/subscription-sink.ts";
import type { AppError } from "#shared/errors.ts";
import { toTRPCError } from "./errors.ts";
import type { Relay } from "./relay.ts";
import type { Encoding } from "./ws-encoding.ts";
import type { Address } from "./ws-format.ts";
import type { Call } from "./ws-responses.ts";

/** The request that the answers of a subscription belong to. */
export type SubscriptionAddress = Address & { id: number | string };

/** The parts of a connection that a subscription uses. */
export interface SubscriptionPeer extends SinkConnection {
  readonly encoding: Encoding;
  readonly writer: SocketWriter;
  readonly compression: Compression | undefined;
}

/** The owner of a connection's subscriptions: its requests. */
export interface SubscriptionOwner {
  readonly peer: SubscriptionPeer;
  /** Tells the client that the subscription ended, with an error if there is a reason. */
  end(to: SubscriptionAddress, call: Call, reason?: { cause: unknown }): void;
}

export class Subscription extends SubscriptionSink<unknown> implements Address {
  readonly id: number | string;
  readonly jsonrpc: "2.0" | undefined;
  readonly #owner: SubscriptionOwner;
  readonly #path: string | undefined;
  readonly #head: string;
  #isWanted = true;

  constructor(
    owner: SubscriptionOwner,
    { id, jsonrpc }: SubscriptionAddress,
    path: string | undefined,
  ) {
    super();
    this.id = id;
    this.jsonrpc = jsonrpc;
    this.#owner = owner;
    this.#path = path;
    this.#head = owner.peer.encoding.responses.beforeResult(this);
  }

  /** Resolves when the subscription has begun, was refused, or was stopped. */
  async begin(relay: Relay<unknown>): Promise<void> {
    try {
      const stream = await relay.open();
      if (this.#isWanted) this.watch(stream);
    } catch (cause) {
      if (this.#isWanted) this.#end({ cause: toTRPCError(cause) });
    }
  }

  end(reason?: AppError): void {
    this.forget();
    this.#end(reason && { cause: toTRPCError(reason) });
  }

  /** The client unsubscribes. */
  stop(): void {
    this.leave();
    this.#end();
  }

  override leave(): void {
    this.#isWanted = false;
    super.leave();
  }

  protected get connection(): SubscriptionPeer {
    return this.#owner.peer;
  }

  protected chunksOf(entries: readonly Entry<unknown>[]): readonly Chunk[] {
    const { encoding, compression } = this.connection;
    return encoding.framesOf(entries, this.#head, compression, this.lastSent);
  }

  protected write(chunk: Chunk): number {
    const { writer, compression } = this.connection;
    writer.write(chunk.bytes);
    this.lastSent = compression?.sent(chunk, this.lastSent);
    return chunk.count;
  }

  #end(reason?: { cause: unknown }): void {
    const call = { type: "subscription" as const, path: this.#path, input: undefined };
    this.#owner.end(this, call, reason);
  }
}
