/** Splits one message of a tRPC WebSocket client into its requests. */
import { type AnyTRPCRouter, TRPCError } from "@trpc/server";
import { parseTRPCMessage, type TRPCClientOutgoingMessage } from "@trpc/server/rpc";
import { parseConnectionParamsFromUnknown, type TRPCRequestInfo } from "@trpc/server/http";
import { MAX_STRANGER_BYTES } from "#server/transports/requests/stranger-limit.ts";
import { faultOf } from "#server/transports/requests/read-msgpack.ts";
import { MAX_BATCH_CALLS, tooManyCalls } from "./batch.ts";
import type { Decoded } from "./ws-format.ts";

export type Params = TRPCRequestInfo["connectionParams"];

export interface Item {
  message: TRPCClientOutgoingMessage;
  /** The index of the request in its message. */
  index: number;
  /** The error that answers it, in place of the procedure. */
  refusal: TRPCError | undefined;
}

/**
 * Stock clients put all requests of one tick into one message: after a reconnect, all of their subscriptions. So the limit
 * is the calls of a batch, plus a start and an end for each subscription that a connection may have.
 */
export const MAX_MESSAGE_ITEMS = 2500;

/** The message exceeds a limit and was not read. */
export class MessageRefused extends Error {
  override readonly name = "MessageRefused";
  /** The request that gets the error; `null` if it is unknown. */
  readonly id: number | string | null;
  /** True for a message of several requests. They get no answers, so the connection must close for the client to notice. */
  readonly ofSeveral: boolean;

  constructor(reason: string, about: Pick<MessageRefused, "id" | "ofSeveral">) {
    super(reason);
    this.id = about.id;
    this.ofSeveral = about.ofSeveral;
  }
}

export function tooManyItems(): MessageRefused {
  const reason = `A message holds at most ${MAX_MESSAGE_ITEMS} requests, ${MAX_BATCH_CALLS} of them calls.`;
  return new MessageRefused(reason, { id: null, ofSeveral: true });
}

/** For a message that is not read, because the server does not know who sent it. */
export function tooLargeOfStranger(): TRPCError {
  const message = `Before sign-in, a message has at most ${MAX_STRANGER_BYTES / 1024} KiB.`;
  return new TRPCError({ code: "PAYLOAD_TOO_LARGE", message });
}

/** Throws the error of tRPC's parser. */
export function readMessage(
  { value, hasNotJson }: Decoded,
  { transformer }: AnyTRPCRouter["_def"]["_config"],
): Item[] {
  const messages: unknown[] = Array.isArray(value) ? value : [value];
  let calls = 0;
  return messages.map((each, index) => {
    const message = parseTRPCMessage(each, transformer);
    const isCall = message.method === "query" || message.method === "mutation";
    if (isCall) calls += 1;
    const refusal =
      isCall && calls > MAX_BATCH_CALLS ? tooManyCalls() : hasNotJson ? notJson(each) : undefined;
    return { message, index, refusal };
  });
}

function notJson(message: unknown): TRPCError | undefined {
  const fault = faultOf(message);
  return fault === undefined ? undefined : new TRPCError({ code: "BAD_REQUEST", message: fault });
}

/** Reads the first message of a client that connected with `connectionParams`. Throws if it is invalid. */
export function readParams(decode: () => Decoded): Params {
  let message: unknown;
  try {
    message = decode().value;
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
