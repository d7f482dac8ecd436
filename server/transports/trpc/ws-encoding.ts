/**
 * The encodings of a tRPC WebSocket: JSON in text frames, and MessagePack in binary frames for stock clients with
 * `experimental_encoder`. Each connection has one (`ws-connection.ts`), and all connections with the same one share the bytes
 * of an entry.
 */
import type { AnyTRPCRouter, TRPCError } from "@trpc/server";
import { createFrames, type FramesOf } from "./entry-frames.ts";
import type { Format, Payload } from "./ws-format.ts";
import { JSON_FORMAT } from "./ws-json.ts";
import { MSGPACK_FORMAT } from "./ws-msgpack.ts";
import { type Call, createResponses, type Responses } from "./ws-responses.ts";

export interface Encoding {
  readonly responses: Responses;
  readonly framesOf: FramesOf;
  /** Tells stock clients to open another connection, and to move their subscriptions to it. */
  readonly reconnect: Payload;
  readonly decode: Format<unknown>["decode"];
  readonly idIn: Format<unknown>["idIn"];
}

export interface Encodings {
  readonly json: Encoding;
  readonly msgpack: Encoding;
}

type Config = AnyTRPCRouter["_def"]["_config"];

/** `onFault` is called for an error that cannot be described to the client. */
export function createEncodings(
  config: Config,
  onFault: (error: TRPCError, call: Call) => void,
): Encodings {
  const create = <Rest>(format: Format<Rest>): Encoding => ({
    responses: createResponses(config, format, onFault),
    framesOf: createFrames(format, (data) => config.transformer.output.serialize(data)),
    reconnect: format.encode({ id: null, method: "reconnect" }),
    decode: (received) => format.decode(received),
    idIn: (received) => format.idIn(received),
  });
  return { json: create(JSON_FORMAT), msgpack: create(MSGPACK_FORMAT) };
}
