/** Splits one message of a tRPC WebSocket client into its requests. */
import { type AnyTRPCRouter, TRPCError } from "@trpc/server";
import { parseTRPCMessage, type TRPCClientOutgoingMessage } from "@trpc/server/rpc";
import { parseConnectionParamsFromUnknown, type TRPCRequestInfo } from "@trpc/server/http";
import { jsonShape, MAX_NESTING } from "#server/transports/requests/json-shape.ts";
import { MAX_BATCH_CALLS } from "./batch.ts";
import { excessOf } from "./request-body.ts";

export interface Item {
  message: TRPCClientOutgoingMessage;
  /** The index of the request in its message. */
  index: number;
  /** True for a call beyond `MAX_BATCH_CALLS`, which must be refused. */
  surplus: boolean;
}

/**
 * Stock clients put all requests of one tick into one message: after a reconnect, all of their subscriptions. So the limit
 * is the calls of a batch, plus a start and an end for each subscription that a connection may have.
 */
const MAX_MESSAGE_ITEMS = 2500;

/** The message exceeds a limit and was not parsed. */
export class MessageRefused extends Error {
  override readonly name = "MessageRefused";
  /** The request that gets the error; `null` if it is unknown. */
  readonly id: number | string | null;
  /** True for a message of several requests. They get no answers, so the connection must close for the client to notice. */
  readonly ofSeveral: boolean;

  constructor(text: string, reason: string, ofSeveral: boolean) {
    super(reason);
    this.id = idIn(text);
    this.ofSeveral = ofSeveral;
  }
}

/** `text` is `undefined` for a binary message. Throws `MessageRefused`, or the error of the parser. */
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

/** Parses the first message of a client that connected with `connectionParams`. Throws if it is invalid. */
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

/** Returns the id of a message in the form that stock clients write. */
function idIn(text: string): number | string | null {
  const id = /^\{"id":(\d{1,15}|"[^"\\]{1,100}"),/.exec(text.slice(0, 200))?.[1];
  return id === undefined ? null : (JSON.parse(id) as number | string);
}
