/** One message of a tRPC WebSocket client, taken apart into its requests. */
import { type AnyTRPCRouter, TRPCError } from "@trpc/server";
import { parseTRPCMessage, type TRPCClientOutgoingMessage } from "@trpc/server/rpc";
import { parseConnectionParamsFromUnknown, type TRPCRequestInfo } from "@trpc/server/http";
import { jsonShape, MAX_NESTING } from "#server/transports/json-shape.ts";
import { MAX_BATCH_CALLS } from "./batch.ts";
import { excessOf } from "./request-body.ts";

export interface Item {
  message: TRPCClientOutgoingMessage;
  /** Its place in the message. */
  index: number;
  /** A call beyond `MAX_BATCH_CALLS`: it is to be refused. */
  surplus: boolean;
}

/**
 * Stock clients put all they have to say in one tick into one message: after a reconnect, all of their subscriptions. So
 * this is as many calls as a batch holds, and twice as many starts and ends as a connection has subscriptions.
 */
const MAX_MESSAGE_ITEMS = 2500;

/** The message is beyond a limit, and was not parsed. */
export class MessageRefused extends Error {
  override readonly name = "MessageRefused";
  /** The request to be told; `null` where it is not known. */
  readonly id: number | string | null;
  /** It held several requests. They get no answer of their own, which a client learns from a closed connection. */
  readonly ofSeveral: boolean;

  constructor(text: string, reason: string, ofSeveral: boolean) {
    super(reason);
    this.id = idIn(text);
    this.ofSeveral = ofSeveral;
  }
}

/** `text`: `undefined` where the message was binary. Throws `MessageRefused`, or the reason why it cannot be read. */
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
  const isList = shape.depth > 1 && text.startsWith("[");
  if (isList && shape.items > MAX_MESSAGE_ITEMS) {
    throw new MessageRefused(
      text,
      `A message holds at most ${MAX_MESSAGE_ITEMS} requests, ${MAX_BATCH_CALLS} of them calls.`,
      true,
    );
  }
  const excess = excessOf(shape);
  if (excess !== undefined) {
    throw new MessageRefused(text, excess, isList && shape.depth <= MAX_NESTING);
  }
  return JSON.parse(text);
}

/** Of a message as stock clients write it. */
function idIn(text: string): number | string | null {
  const id = /^\{"id":(\d{1,15}|"[^"\\]{1,100}"),/.exec(text.slice(0, 200))?.[1];
  return id === undefined ? null : (JSON.parse(id) as number | string);
}
