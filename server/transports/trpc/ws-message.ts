/** One message of a tRPC WebSocket client, taken apart into its requests. */
import { type AnyTRPCRouter, TRPCError } from "@trpc/server";
import { parseTRPCMessage, type TRPCClientOutgoingMessage } from "@trpc/server/rpc";
import { parseConnectionParamsFromUnknown, type TRPCRequestInfo } from "@trpc/server/http";
import { jsonShape, MAX_NESTING } from "#server/transports/json-shape.ts";
import { MAX_SUBSCRIPTIONS } from "#server/transports/subscription-limit.ts";
import { MAX_BATCH_CALLS } from "./batch.ts";
import { assertShape } from "./request-body.ts";

export interface Item {
  message: TRPCClientOutgoingMessage;
  /** Its place in the message. */
  index: number;
  /** A call beyond `MAX_BATCH_CALLS`: it is to be refused. */
  surplus: boolean;
}

/** Stock clients put all they have to say in one tick into one message: after a reconnect, all of their subscriptions. */
export const MAX_MESSAGE_ITEMS = MAX_BATCH_CALLS + 2 * MAX_SUBSCRIPTIONS;

/** The message holds more than `MAX_MESSAGE_ITEMS` requests. */
export class MessageTooLong extends Error {
  override readonly name = "MessageTooLong";

  constructor() {
    super(
      `A message holds at most ${MAX_MESSAGE_ITEMS} requests, of which ${MAX_BATCH_CALLS} may be calls.`,
    );
  }
}

/** `text`: `undefined` where the message was binary. Throws `MessageTooLong`, or the reason why it cannot be read. */
export function readMessage(
  text: string | undefined,
  { transformer }: AnyTRPCRouter["_def"]["_config"],
): Item[] {
  const json = decode(text);
  const messages: unknown[] = Array.isArray(json) ? json : [json];
  let calls = 0;
  return messages.map((each, index) => {
    const message = parseTRPCMessage(each, transformer);
    const isCall = message.method === "query" || message.method === "mutation";
    if (isCall) calls += 1;
    return { message, index, surplus: isCall && calls > MAX_BATCH_CALLS };
  });
}

/** The first message of a client that connected with `connectionParams`. Throws where it cannot be read. */
export function readParams(text: string | undefined): TRPCRequestInfo["connectionParams"] {
  let message: unknown;
  try {
    message = decode(text);
    if (typeof message !== "object" || message === null) throw new Error("It is not an object.");
  } catch (cause) {
    throw new TRPCError({
      code: "PARSE_ERROR",
      message: "Malformed TRPCConnectionParamsMessage",
      cause,
    });
  }
  return parseConnectionParamsFromUnknown((message as { data?: unknown }).data);
}

function decode(text: string | undefined): unknown {
  if (text === undefined) throw new Error("Messages are JSON in text frames; this one was binary.");
  const shape = jsonShape(text, MAX_NESTING);
  assertShape(shape);
  if (shape.items > MAX_MESSAGE_ITEMS) throw new MessageTooLong();
  return JSON.parse(text);
}
